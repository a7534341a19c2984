"""When anybody asks why a worker does not come up, and what its Spout says then. On a clock that jumps."""

import asyncio
import datetime
import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from spout_operator.controller.user_code import UserCode
from spout_operator.core.activity import Activity
from spout_operator.core.errors import Retryable
from spout_operator.core.model import Pipeline, PipelineName, PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.status import health
from spout_operator.core.status.health import FALSE, Health
from tests.builders import NOON, a_key, a_pipeline, a_spout_body
from tests.fakes.memory_events import MemoryEvents
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.fakes.memory_spouts import MemorySpouts
from tests.unit.controller.virtual_time import now, run
from tests.unit.controller.world import World

MINUTE, HOUR = 60.0, 3600.0
#: Seconds between two observations of a pipeline that comes up.
POLL = 10.0
WORDS = 'container "user" in pod "pipeline-my-spout-v1-abcde" is waiting to start: '
NO_SECRET = WORDS + "CreateContainerConfigError"
STARTING = a_pipeline(workers=(0, 1))


class Kubelet(MemoryPipelines):
    """A Pachyderm that passes on why a container waits, as a test says.

    `asked` are the times of the questions, and `questions` what each was about: the pipeline, and since when.
    """

    def __init__(self, words: str | None = NO_SECRET) -> None:
        super().__init__()
        self.words = words
        self.fails = False
        self.asked: list[float] = []
        self.questions: list[tuple[PipelineName, datetime.datetime | None]] = []

    async def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:  # noqa: ARG002 - as the port has it
        self.asked.append(now())
        self.questions.append((name, since))
        if self.fails:
            raise Retryable(Reason.PACHYDERM_ERROR, "it fails, as asked for")
        return Activity(unknown=self.words, waiting=self.words)


class Watched:
    """One pipeline, observed as often as one that is coming up."""

    def __init__(self, kubelet: Kubelet, shown: Mapping[str, Any] | None = None) -> None:
        self._user_code = UserCode(kubelet, now=lambda: NOON + datetime.timedelta(seconds=now()))
        self._shown = shown or {}
        self.told: list[tuple[float, Reason]] = []
        """Each reason that differs from the one before, and when it was there."""
        self.message = ""

    async def watch(self, pipeline: Pipeline, until: float) -> "Watched":
        while now() < until:
            found, _ = await self._user_code.health(pipeline, self._shown, None, Secrets([]))
            told = health.of_pipeline(pipeline, found)
            if not self.told or self.told[-1][1] is not told.reason:
                self.told.append((now(), told.reason))
            self.message = told.message
            await asyncio.sleep(POLL)
        return self


def watched(
    kubelet: Kubelet, until: float, *, pipeline: Pipeline = STARTING, shown: Mapping[str, Any] | None = None
) -> Watched:
    async def scenario() -> Watched:
        return await Watched(kubelet, shown).watch(pipeline, until)

    return run(scenario())


def shown_not_ready(reason: str, **pipeline: Any) -> dict[str, Any]:
    """A status whose Spout is not ready for that reason."""
    ready = {"type": "Ready", "status": "False", "reason": reason, "message": f"as shown: {reason}"}
    return {"conditions": [ready], "pipeline": {"version": STARTING.version, **pipeline}}


def test_a_worker_that_is_not_up_after_30_seconds_is_asked_for() -> None:
    kubelet = Kubelet()
    found = watched(kubelet, 40)

    assert found.told == [(0, Reason.WORKERS_STARTING), (30, Reason.CREATE_CONTAINER_CONFIG_ERROR)]
    assert NO_SECRET in found.message
    assert "each Secret of spec.transform.secrets" in found.message, "what to look for"


def test_a_worker_that_comes_up_in_time_is_not_asked_for() -> None:
    kubelet = Kubelet()
    watched(kubelet, 30)

    assert kubelet.asked == []


def test_it_is_asked_about_that_pipeline_and_for_nothing_of_its_log() -> None:
    kubelet = Kubelet()
    watched(kubelet, 40)

    assert kubelet.questions == [(STARTING.name, NOON + datetime.timedelta(seconds=30))]


def test_it_is_asked_again_ever_more_rarely() -> None:
    kubelet = Kubelet()
    watched(kubelet, 3 * HOUR)

    assert kubelet.asked[:4] == [30, 90, 210, 450]
    assert sum(2 * HOUR <= moment < 3 * HOUR for moment in kubelet.asked) == 6, "once in ten minutes"


@pytest.mark.parametrize(
    ("words", "reason", "message"),
    [
        (WORDS + "ContainerCreating", Reason.WORKERS_STARTING, "its worker is not yet: " + WORDS + "ContainerCreating"),
        (WORDS + "trying and failing to pull image", Reason.IMAGE_PULL_BACK_OFF, "see the Pods of the pipeline"),
        (None, Reason.WORKERS_STARTING, "the pipeline is up and its worker is not yet"),
    ],
)
def test_what_the_kubelet_says_is_told(words: str | None, reason: Reason, message: str) -> None:
    found = watched(Kubelet(words), 40)

    assert found.told[-1][1] is reason
    assert message in found.message


@pytest.mark.parametrize(
    ("pipeline", "why"),
    [
        (a_pipeline(workers=(1, 1)), "the worker is up; its log is read for another reason"),
        (a_pipeline(workers=(0, 1), state=PipelineState.STARTING), "Pachyderm is at it"),
        (a_pipeline(workers=(0, 1), state=PipelineState.CRASHING, reason=NO_SECRET), "Pachyderm has said why"),
        (a_pipeline(workers=(0, 1), stopped=True), "nobody wants one"),
    ],
)
def test_only_a_worker_that_should_be_up_is_asked_for(pipeline: Pipeline, why: str) -> None:
    async def scenario() -> bool:
        kubelet = Kubelet()
        user_code = UserCode(kubelet, now=lambda: NOON)
        await user_code.health(STARTING, {}, None, Secrets([]))
        await asyncio.sleep(HOUR)
        await user_code.health(pipeline, {}, None, Secrets([]))
        await asyncio.sleep(POLL)
        found, _ = await user_code.health(STARTING, {}, None, Secrets([]))
        return found is None

    assert run(scenario()), f"{why}; so the 30 seconds begin anew"


def test_a_restarted_operator_goes_on_from_the_status_and_asks_at_once() -> None:
    kubelet = Kubelet()
    found = watched(kubelet, 60, shown=shown_not_ready("CreateContainerConfigError"))

    assert found.told == [(0, Reason.CREATE_CONTAINER_CONFIG_ERROR)]
    assert kubelet.asked == [0]


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (shown_not_ready("CreateContainerConfigError", version=STARTING.version + 1), "that was another worker"),
        (shown_not_ready("WorkersStarting"), "nothing was known of it"),
        (shown_not_ready("UserCodeFailing"), "that is no reason for which a worker does not come up"),
    ],
)
def test_a_status_that_does_not_say_why_is_no_memory(shown: dict[str, Any], why: str) -> None:
    kubelet = Kubelet()
    found = watched(kubelet, 35, shown=shown)

    assert found.told[0] == (0, Reason.WORKERS_STARTING), why
    assert kubelet.asked == [30], why


def test_an_answer_that_fails_leaves_what_is_known() -> None:
    async def scenario() -> Watched:
        kubelet = Kubelet()
        found = await Watched(kubelet).watch(STARTING, 40)
        kubelet.fails = True
        await found.watch(STARTING, HOUR)
        assert len(kubelet.asked) > 3
        return found

    assert run(scenario()).told[-1][1] is Reason.CREATE_CONTAINER_CONFIG_ERROR


def test_another_version_of_the_pipeline_has_a_worker_of_its_own() -> None:
    async def scenario() -> list[Reason]:
        found = await Watched(Kubelet()).watch(STARTING, 40)
        await found.watch(a_pipeline(workers=(0, 1), version=STARTING.version + 1), 60)
        return [reason for _, reason in found.told]

    assert run(scenario())[-1] is Reason.WORKERS_STARTING


class Slow(Kubelet):
    """A Pachyderm that takes its time."""

    took = 0.2

    async def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:
        found = await super().activity(name, since=since, last_lines=last_lines)
        await asyncio.sleep(self.took)
        return found


def a_user_code(kubelet: Kubelet) -> UserCode:
    return UserCode(kubelet, now=lambda: NOON + datetime.timedelta(seconds=now()))


def test_workers_that_do_not_come_up_take_turns_with_the_logs_of_the_others() -> None:
    many, took = 5, 0.5

    async def scenario() -> list[float]:
        kubelet = Slow()
        user_code = a_user_code(kubelet)

        async def watch(number: int) -> None:
            pipeline = a_pipeline(name=PipelineName(name=f"spout-{number}"), workers=(0, 1))
            while now() < 85:
                await user_code.health(pipeline, {}, None, Secrets([]))
                await asyncio.sleep(1)

        await user_code.health(a_pipeline(workers=(1, 1)), {}, None, Secrets([]))
        kubelet.took = took
        first = asyncio.create_task(watch(0))
        # How long a question takes is known after the first one.
        await asyncio.sleep(31)
        await asyncio.gather(first, *(watch(number) for number in range(1, many)))
        return kubelet.asked

    asked = run(scenario())
    assert len(asked) == 1 + many, "a log, and then each of those that do not come up"
    pauses = [later - before for before, later in itertools.pairwise(asked[2:])]
    # Each is up to a second late here.
    assert min(pauses) >= 10 * took - 1
    assert max(pauses) <= 10 * took + 1, "no longer than what a read takes asks for"


def test_until_its_turn_comes_a_restarted_operator_says_what_the_status_says() -> None:
    async def scenario() -> tuple[Health | None, list[float]]:
        kubelet = Slow()
        user_code = a_user_code(kubelet)
        first = a_pipeline(name=PipelineName(name="first"), workers=(1, 1))
        await user_code.health(first, {}, None, Secrets([]))
        waits = a_pipeline(name=PipelineName(name="second"), workers=(0, 1))
        found, _ = await user_code.health(waits, shown_not_ready("CreateContainerConfigError"), None, Secrets([]))
        return found, kubelet.asked

    found, asked = run(scenario())
    assert found is not None
    reason = Reason.CREATE_CONTAINER_CONFIG_ERROR
    assert found == Health(ready=FALSE, reason=reason, message=f"as shown: {reason}")
    assert len(asked) == 1, "it has to wait"


def test_nothing_is_kept_of_pipelines_that_no_spout_names() -> None:
    async def scenario() -> tuple[Health | None, Health | None]:
        user_code = a_user_code(Kubelet())
        await user_code.health(STARTING, {}, None, Secrets([]))
        await asyncio.sleep(MINUTE)
        known, _ = await user_code.health(STARTING, {}, None, Secrets([]))
        user_code.due(set())
        return known, (await user_code.health(STARTING, {}, None, Secrets([])))[0]

    known, forgotten = run(scenario())
    assert known is not None
    assert forgotten is None


KEY = a_key()


async def test_a_missing_secret_is_one_event_whatever_restarts_come_after_it() -> None:
    class Starting(Kubelet):
        """Workers never come up."""

        def come_up(self, name: PipelineName) -> None:
            self.change(name, state=PipelineState.RUNNING)

    kubelet, spouts, events = Starting(), MemorySpouts(), MemoryEvents()
    async with World(kubelet, spouts, events=events) as world:
        await world.begun()
        spouts.create(a_spout_body())
        await world.shows(KEY, reason="Starting")
        kubelet.come_up(PipelineName(name="my-spout"))
        await world.ticks()
        await asyncio.sleep(31)
        await world.shows(KEY, ready="False", reason="CreateContainerConfigError")
        await world.rest()
    for _ in range(2):
        async with World(kubelet, spouts, events=events) as world:
            await world.begun()
            await world.ticks(3)
            await world.shows(KEY, ready="False", reason="CreateContainerConfigError")

    assert events.told == ["Created", "CreateContainerConfigError"]
