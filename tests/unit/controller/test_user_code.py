"""When the log of a spout's worker is read, and how soon the status tells what it says. On a clock that jumps."""

import asyncio
import datetime
import itertools
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pytest

from spout_operator.controller.log_turns import LEAST_GAP
from spout_operator.controller.user_code import AHEAD, UserCode
from spout_operator.core.activity import Activity, Ended, Failed, OutputRefused, Started, WorkerEvent
from spout_operator.core.errors import Retryable
from spout_operator.core.model import Pipeline, PipelineName
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.status.health import TRUE, Health
from spout_operator.core.timestamps import print_time
from tests.builders import NOON, a_pipeline
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.unit.controller.virtual_time import now, run

POLL = 10.0
MINUTE, HOUR = 60.0, 3600.0
NO_SECRETS = Secrets([])


def at(seconds: float) -> datetime.datetime:
    return NOON + datetime.timedelta(seconds=seconds)


class Log(MemoryPipelines):
    """A worker that logs events at given times.

    `reads` are the times at which its log was read, and `asked` what for: the pipeline, since when, and how many lines.
    """

    def __init__(self, *events: WorkerEvent, unreadable: str | None = None) -> None:
        super().__init__()
        self._events = events
        self._unreadable = unreadable
        self.reads: list[float] = []
        self.asked: list[tuple[PipelineName, datetime.datetime | None, int]] = []

    async def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:
        self.reads.append(now())
        self.asked.append((name, since, last_lines))
        if self._unreadable is not None:
            raise Retryable(Reason.PACHYDERM_ERROR, self._unreadable)
        return Activity(events=tuple(event for event in self._events if event.at <= at(now())))


class Watched:
    """One pipeline that is up from the beginning, reconciled as the controller does it."""

    def __init__(self, log: Log, *, commits: Sequence[float] = (), shown: Mapping[str, Any] | None = None) -> None:
        self._user_code = UserCode(log, now=lambda: at(now()))
        self._commits = commits
        self._shown = shown or {}
        self.log = log
        self.pipeline: Pipeline = a_pipeline(workers=(1, 1))
        self.found: list[tuple[float, Health]] = []
        """Each verdict that differs from the one before, and when it was there."""

    async def watch(self, seconds: float) -> None:
        """Reconcile when it asks for it, and at the poll after its log has become due."""
        while now() < seconds:
            commits = [moment for moment in self._commits if moment <= now()]
            found, after = await self._user_code.health(
                self.pipeline, self._shown, at(max(commits)) if commits else None, NO_SECRETS
            )
            if found is not None and (not self.found or self.found[-1][1] != found):
                self.found.append((now(), found))
            if after is not None:
                await asyncio.sleep(after)
                continue
            next_commit = min((moment for moment in self._commits if moment > now()), default=seconds)
            while now() < seconds and await self._is_as_told():
                await asyncio.sleep(POLL - now() % POLL)
                if next_commit <= now():
                    break

    async def _is_as_told(self) -> bool:
        """Whether a poll, and the log where it has its turn, are no reason to reconcile."""
        for name, after in self._user_code.due({self.pipeline.name}).items():
            await asyncio.sleep(after)
            if not await self._user_code.is_as_told(name):
                return False
        return True

    def told(self, reason: Reason) -> float:
        """When it was told for the first time."""
        return next(moment for moment, found in self.found if found.reason is reason)

    def reads(self, begin: float, end: float) -> int:
        """How often the log was read between two times."""
        return sum(begin <= moment < end for moment in self.log.reads)

    @property
    def pauses(self) -> list[float]:
        """Seconds from each read of the log to the next."""
        return [round(later - before, 3) for before, later in itertools.pairwise(self.log.reads)]


def watched(log: Log, seconds: float, **further: Any) -> Watched:
    async def scenario() -> Watched:
        found = Watched(log, **further)
        await found.watch(seconds)
        return found

    return run(scenario())


def running_since(seconds: float) -> dict[str, Any]:
    """A status that says that the user code runs."""
    ready = {"type": "Ready", "status": TRUE, "reason": "Running", "lastTransitionTime": print_time(at(seconds))}
    return {"conditions": [ready], "pipeline": {"version": a_pipeline().version}}


def failing_since(seconds: float) -> dict[str, Any]:
    """A status that says that the user code fails."""
    shown = running_since(seconds)
    shown["conditions"][0] |= {"status": "False", "reason": "UserCodeFailing", "message": "failed before"}
    return shown


def every(pause: float, until: float) -> list[float]:
    return [pause * number for number in range(1, int(until / pause) + 1)]


@pytest.mark.parametrize("begins", [0.0, 1.0, 3.0, 9.0, 30.0])
@pytest.mark.parametrize("runs_for", [0.0, 1.0, 4.0])
def test_new_code_that_ends_at_once_is_told_within_15_seconds(begins: float, runs_for: float) -> None:
    fails = begins + runs_for
    found = watched(Log(Started(at=at(begins)), Failed(at=at(fails), exit_code=3)), MINUTE)

    assert found.told(Reason.USER_CODE_FAILING) - fails <= 15
    assert Reason.RUNNING not in {health.reason for _, health in found.found}, "it was never ready"


@pytest.mark.parametrize(
    ("fails", "told_within"), [(8.0, 10), (20.0, 10), (40.0, 10), (70.0, 90), (200.0, 90), (350.0, 90)]
)
def test_code_that_fails_later_is_told_within_90_seconds_and_in_its_first_minute_within_10(
    fails: float, told_within: float
) -> None:
    found = watched(Log(Started(at=at(0)), Failed(at=at(fails), exit_code=3)), fails + 2 * MINUTE)

    assert found.told(Reason.USER_CODE_FAILING) - fails <= told_within


@pytest.mark.parametrize("starts", every(7, MINUTE))
def test_code_that_was_started_again_is_looked_at_closely_as_new_code_is(starts: float) -> None:
    """Its start is seen up to a minute later."""
    starts += 2 * MINUTE
    log = Log(Started(at=at(0)), Started(at=at(starts)), Failed(at=at(starts + 30), exit_code=3))
    found = watched(log, starts + 3 * MINUTE)

    assert found.told(Reason.USER_CODE_FAILING) - (starts + 30) <= 45


def test_new_code_that_goes_on_is_ready_after_5_seconds() -> None:
    found = watched(Log(Started(at=at(0))), MINUTE)

    assert found.told(Reason.RUNNING) == 5


def test_a_read_goes_on_where_the_one_before_ended_and_asks_for_no_lines_of_the_code() -> None:
    log = Log(Started(at=at(-1)))
    name = watched(log, 11).pipeline.name

    assert log.asked == [(name, None, 0), (name, at(-1), 0)]


def test_code_that_fails_soon_after_one_of_its_rare_commits_is_told_within_90_seconds() -> None:
    fails = 3 * HOUR + 100
    log = Log(Started(at=at(0)), Failed(at=at(fails), exit_code=3))
    found = watched(log, fails + 5 * MINUTE, commits=every(10 * MINUTE, 3 * HOUR))

    assert found.told(Reason.USER_CODE_FAILING) - fails <= 90


def test_code_that_commits_and_then_fails_is_told_within_90_seconds() -> None:
    log = Log(Started(at=at(0)), Failed(at=at(HOUR + 5), exit_code=3))
    found = watched(log, HOUR + 5 * MINUTE, commits=every(20, HOUR))

    assert found.told(Reason.USER_CODE_FAILING) - HOUR <= 90


def test_commits_prove_life_so_the_log_is_not_read() -> None:
    found = watched(Log(Started(at=at(0))), HOUR, commits=every(20, HOUR))

    assert found.reads(20, HOUR) == 0
    assert [health.reason for _, health in found.found][-1] is Reason.RUNNING


def test_the_log_of_a_quiet_spout_is_read_once_a_minute_falling_to_once_in_ten_minutes() -> None:
    found = watched(Log(Started(at=at(0))), 12 * HOUR)

    assert found.reads(2 * MINUTE, 3 * MINUTE) <= 1
    assert max(found.reads(minute * MINUTE, minute * MINUTE + MINUTE) for minute in range(2, 719)) == 1
    assert 6 <= found.reads(11 * HOUR, 12 * HOUR) <= 9
    assert len(found.found) == 2, "unknown at first, then running: nothing else is ever told"


def test_a_restarted_operator_goes_on_from_the_status() -> None:
    found = watched(Log(Started(at=at(-HOUR))), 10 * MINUTE, shown=running_since(-HOUR))

    assert [(moment, health.reason) for moment, health in found.found] == [(0, Reason.RUNNING)]
    assert found.reads(0, 5 * MINUTE) == 0


def test_a_restarted_operator_takes_code_for_begun_well_that_its_status_says_has() -> None:
    found = watched(Log(Started(at=at(-7))), 1, shown=running_since(-2))

    assert [(moment, health.reason) for moment, health in found.found] == [(0, Reason.RUNNING)]


def test_a_restarted_operator_looks_soon_at_a_spout_that_has_committed_soon_before() -> None:
    found = watched(Log(Started(at=at(-24 * HOUR))), 5 * MINUTE, shown=running_since(-24 * HOUR), commits=[-90.0])

    assert found.reads(0, 80) == 1


def test_a_restarted_operator_reads_the_log_of_a_spout_that_was_not_ready_at_once() -> None:
    found = watched(Log(Failed(at=at(-MINUTE), exit_code=3)), MINUTE, shown=failing_since(-HOUR))

    assert found.told(Reason.USER_CODE_FAILING) == 0
    assert found.log.reads[0] == 0


@pytest.mark.parametrize(
    "failed_reads",
    [pytest.param(0, id="the others wait for their turn"), pytest.param(2, id="some logs cannot be read at first")],
)
def test_a_restarted_operator_goes_on_telling_of_trouble_until_it_has_read_the_log(failed_reads: int) -> None:
    """Else each Spout would be unknown for a moment, and its trouble an Event once more."""
    many, took = 8, 0.5
    shown = failing_since(-HOUR)

    class Slow(Log):
        async def activity(
            self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0
        ) -> Activity:
            found = await super().activity(name, since=since, last_lines=last_lines)
            is_readable = len(self.reads) > failed_reads
            await asyncio.sleep(took)
            if not is_readable:
                raise Retryable(Reason.PACHYDERM_ERROR, "no logs for now")
            return found

    async def scenario() -> set[tuple[int, Health]]:
        log = Slow(Failed(at=at(-1), exit_code=3))
        found: set[tuple[int, Health]] = set()
        user_code = UserCode(log, now=lambda: at(now()))

        async def reconciled(number: int, until: float) -> None:
            pipeline = a_pipeline(name=PipelineName(name=f"spout-{number}"), workers=(1, 1))
            while now() < until:
                health, after = await user_code.health(pipeline, shown, None, NO_SECRETS)
                assert health is not None
                found.add((number, health))
                await asyncio.sleep(after or POLL)

        # How long a read takes is known after the first one.
        await reconciled(0, took)
        await asyncio.gather(*(reconciled(number, 2 * MINUTE) for number in range(many)))
        return found

    found = run(scenario())
    assert {health.reason for _, health in found} == {Reason.USER_CODE_FAILING}
    read = {number for number, health in found if health.message != "failed before"}
    assert read == set(range(many)), "in the end each tells of its own log"


def test_trouble_that_the_log_does_not_tell_of_any_more_is_forgotten() -> None:
    found = watched(Log(), MINUTE, shown=failing_since(-HOUR))

    assert {health.reason for _, health in found.found} == {Reason.USER_CODE_UNKNOWN}


def test_a_commit_ends_the_trouble_that_the_status_tells_of_before_the_log_is_read() -> None:
    found = watched(Log(unreadable="no logs here"), MINUTE, shown=failing_since(-HOUR), commits=[20.0])

    assert [health.reason for _, health in found.found] == [Reason.USER_CODE_FAILING, Reason.RUNNING]


@pytest.mark.parametrize("finished", [-HOUR, 0.0])
def test_a_commit_of_the_worker_before_proves_nothing(finished: float) -> None:
    found = watched(Log(), 5 * MINUTE, commits=[finished])

    assert {health.reason for _, health in found.found} == {Reason.USER_CODE_UNKNOWN}


def test_a_status_whose_time_somebody_else_wrote_is_no_memory() -> None:
    shown = running_since(-HOUR)
    shown["conditions"][0]["lastTransitionTime"] = "2026-01-31T12:00:00.5+01:00"

    assert watched(Log(Started(at=at(-HOUR))), MINUTE, shown=shown).log.reads[0] == 0


@pytest.mark.parametrize("shown", [running_since(-HOUR), failing_since(-HOUR)], ids=["runs", "fails"])
def test_another_version_of_the_pipeline_has_a_log_of_its_own(shown: dict[str, Any]) -> None:
    shown["pipeline"]["version"] += 1
    found = watched(Log(unreadable="no logs yet"), MINUTE, shown=shown)

    assert found.log.reads[0] == 0
    assert found.found[0][1].reason is Reason.USER_CODE_UNKNOWN


def test_the_log_of_a_worker_that_was_down_meanwhile_is_read_at_once() -> None:
    async def scenario() -> list[list[float]]:
        log, reads = Log(Started(at=at(-HOUR))), []
        user_code = UserCode(log, now=lambda: at(now()))
        for workers, shown in (((1, 1), running_since(-HOUR)), ((0, 1), running_since(-HOUR)), ((1, 1), {})):
            await user_code.health(a_pipeline(workers=workers), shown, None, NO_SECRETS)
            reads.append([*log.reads])
        return reads

    assert run(scenario()) == [[], [], [0]]


def test_a_log_that_cannot_be_read_is_asked_for_ever_more_rarely_and_proves_nothing() -> None:
    found = watched(Log(unreadable="no logs here"), HOUR)

    assert {health.reason for _, health in found.found} == {Reason.USER_CODE_UNKNOWN}
    assert found.pauses[:4] == [4, 8, 10, 10]
    assert 50 <= found.reads(2 * MINUTE, HOUR) <= 60, "about once a minute, as it may be readable again"
    assert "no logs here" in found.found[-1][1].message


def test_code_that_fails_is_looked_at_10_seconds_after_its_next_try() -> None:
    fails = Failed(at=at(1), exit_code=3, retry_in=datetime.timedelta(seconds=24))
    found = watched(Log(Started(at=at(0)), fails), 40)

    assert found.told(Reason.USER_CODE_FAILING) == 5
    assert [moment for moment in found.log.reads if moment > 5] == [35]


@pytest.mark.parametrize(
    ("trouble", "pause", "why"),
    [
        (Failed(at=at(-5), exit_code=3), 10, "nobody knows when it is tried again"),
        (Failed(at=at(-5), exit_code=3, retry_in=datetime.timedelta(seconds=1)), 10, "it is being tried again"),
        (Failed(at=at(-5), exit_code=3, retry_in=datetime.timedelta(hours=1)), 59, "it may be started before"),
        (OutputRefused(at=at(-5), error="invalid tar header"), 10, "it may be mended at any time"),
    ],
)
def test_the_log_of_code_in_trouble_is_read_again_within_a_minute(trouble: WorkerEvent, pause: float, why: str) -> None:
    found = watched(Log(Started(at=at(-10)), trouble), 5 * MINUTE)

    assert set(found.pauses) == {pause}, why


def test_code_that_dies_every_30_seconds_is_never_ready_in_between() -> None:
    events = [
        event
        for moment in every(30, 20 * MINUTE)
        for event in (Failed(at=at(moment), exit_code=3), Started(at=at(moment + 1)))
    ]
    found = watched(Log(Started(at=at(0)), *events), 20 * MINUTE)
    later = [health.reason for moment, health in found.found if moment > 2 * MINUTE]

    assert set(later) == {Reason.USER_CODE_FAILING}
    assert found.reads(2 * MINUTE, 20 * MINUTE) <= 6 * 18, "at most six reads a minute"


def test_code_that_was_mended_by_itself_is_ready_a_minute_after_it_was_started_again() -> None:
    found = watched(Log(Failed(at=at(1), exit_code=3), Started(at=at(6))), 5 * MINUTE)

    assert MINUTE <= found.told(Reason.RUNNING) - 6 <= MINUTE + 15


def test_code_that_has_ended_is_told_and_its_log_is_read_ever_more_rarely() -> None:
    found = watched(Log(Started(at=at(0)), Ended(at=at(2))), HOUR)

    assert found.told(Reason.USER_CODE_ENDED) <= 15
    assert found.reads(2 * MINUTE, HOUR) <= 58


def test_logs_are_read_one_after_the_other_with_pauses_that_grow_with_what_a_read_takes() -> None:
    """Pachyderm makes the workers of new pipelines out of the same budget of requests."""
    took, many = 0.2, 20

    class Slow(Log):
        async def activity(
            self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0
        ) -> Activity:
            found = await super().activity(name, since=since, last_lines=last_lines)
            await asyncio.sleep(took)
            return found

    async def scenario() -> list[float]:
        log = Slow(Started(at=at(-MINUTE)))
        user_code = UserCode(log, now=lambda: at(now()))

        async def reconciled(number: int) -> None:
            pipeline = a_pipeline(name=PipelineName(name=f"spout-{number}"), workers=(1, 1))
            found: Health | None = None
            while found is None or found.ready != TRUE:
                found, after = await user_code.health(pipeline, {}, None, NO_SECRETS)
                await asyncio.sleep(after or POLL)

        await asyncio.sleep(MINUTE)
        await reconciled(0)
        await asyncio.gather(*(reconciled(number) for number in range(1, many)))
        return log.reads

    reads = run(scenario())
    assert len(reads) == many, "one read of each is enough"
    pauses = [later - before for before, later in itertools.pairwise(reads[1:])]
    assert pauses == pytest.approx([10 * took] * (many - 2))


def test_a_spout_is_looked_at_again_when_its_turn_comes() -> None:
    async def scenario() -> list[float | None]:
        user_code = UserCode(Log(), now=lambda: at(now()))
        pipelines = [a_pipeline(name=PipelineName(name=f"spout-{number}"), workers=(1, 1)) for number in range(4)]
        return [(await user_code.health(pipeline, {}, None, NO_SECRETS))[1] for pipeline in pipelines]

    assert run(scenario())[1:] == pytest.approx([LEAST_GAP, 2 * LEAST_GAP, 3 * LEAST_GAP])


def test_of_quiet_spouts_those_that_are_due_longest_have_the_next_turns() -> None:
    async def scenario() -> tuple[set[PipelineName], Mapping[PipelineName, float]]:
        user_code = UserCode(Log(), now=lambda: at(now()))
        longer, shorter = ({PipelineName(name=f"{letter}-{number}") for number in range(10)} for letter in "ab")
        for names, quiet_for in ((longer, 24 * HOUR), (shorter, MINUTE)):
            for name in names:
                pipeline = a_pipeline(name=name, workers=(1, 1))
                await user_code.health(pipeline, running_since(-quiet_for), None, NO_SECRETS)
        await asyncio.sleep(HOUR)
        return shorter, user_code.due(longer | shorter)

    shorter, turns = run(scenario())
    assert len(turns) == math.ceil(AHEAD / LEAST_GAP), "more have to wait"
    assert set(sorted(turns, key=lambda name: turns[name])[: len(shorter)]) == shorter


def test_a_quiet_spout_that_commits_is_not_looked_at_for_its_log() -> None:
    async def scenario() -> list[float | None]:
        user_code, pipeline = UserCode(Log(), now=lambda: at(now())), a_pipeline(workers=(1, 1))
        commits = (None, at(0), at(30))
        return [(await user_code.health(pipeline, running_since(-HOUR), moment, NO_SECRETS))[1] for moment in commits]

    assert run(scenario()) == [None, None, None]


MANY, NEW = 1000, PipelineName(name="new")
#: Seconds: the clock that jumps can be early by a rounding, and a clock that stands still never gets there.
A_HAIR = 1e-6


class Fleet:
    """Many quiet spouts, polled and reconciled as the controller does it; further ones can be new."""

    def __init__(self, log: Log, *, quiet_for: float, many: int = MANY) -> None:
        self._user_code = UserCode(log, now=lambda: at(now()))
        self._shown = running_since(-quiet_for)
        self._many = many
        self._tasks: dict[PipelineName, asyncio.Task[None]] = {}
        self.log = log
        self.looks = 0

    async def watch(self, seconds: float) -> None:
        """Reconcile all at first, and then whenever the poll or the reconcile before has asked for it."""
        names = [PipelineName(name=f"spout-{number}") for number in range(self._many)]
        self._tasks = {name: asyncio.create_task(self._look(name)) for name in names}
        names.append(NEW)
        while now() < seconds:
            await asyncio.sleep(POLL)
            for name, after in self._user_code.due(set(names)).items():
                self._tasks[name] = asyncio.create_task(self._look(name, after=after))

    async def _look(self, name: PipelineName, after: float | None = 0) -> None:
        while after is not None:
            await asyncio.sleep(after and after + A_HAIR)
            self.looks += 1
            _, after = await self._user_code.health(
                a_pipeline(name=name, workers=(1, 1)), self._shown, None, NO_SECRETS
            )

    async def told_of_new_code(self) -> float:
        """After how long it is told of a spout without a status that its code has failed."""
        begin, pipeline = now(), a_pipeline(name=NEW, workers=(1, 1))
        while True:
            found, after = await self._user_code.health(pipeline, {}, None, NO_SECRETS)
            if found is not None and found.reason is Reason.USER_CODE_FAILING:
                return now() - begin
            await asyncio.sleep(POLL if after is None else after + A_HAIR)


@pytest.mark.parametrize("quiet_for", [MINUTE, HOUR, 24 * HOUR])
def test_the_logs_of_a_thousand_quiet_spouts_are_read_75_times_a_minute_at_most_at_one_reconcile_each(
    quiet_for: float,
) -> None:
    """Also where a read takes no time at all. A read is two GetLogs."""

    async def scenario() -> Fleet:
        fleet = Fleet(Log(Started(at=at(-quiet_for))), quiet_for=quiet_for)
        await fleet.watch(30 * MINUTE)
        return fleet

    fleet = run(scenario())
    reads = [sum(begin <= moment < begin + MINUTE for moment in fleet.log.reads) for begin in range(0, 1800, 60)]
    assert max(reads) <= 76, reads
    assert sum(reads) >= 1.5 * MANY, "each of them about every quarter of an hour all the same"
    assert fleet.looks <= MANY + 1.02 * len(fleet.log.reads)


@pytest.mark.parametrize("outage", [0, HOUR])
def test_new_code_that_fails_is_told_within_15_seconds_beside_a_thousand_that_are_quiet(outage: float) -> None:
    """Also right after an outage, when the logs of all are due and all are reconciled at once."""

    class Failing(Log):
        async def activity(
            self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0
        ) -> Activity:
            found = await super().activity(name, since=since, last_lines=last_lines)
            return Activity(events=(Failed(at=at(0), exit_code=3),)) if name == NEW else found

    async def scenario() -> float:
        fleet = Fleet(Failing(Started(at=at(-HOUR))), quiet_for=MINUTE)
        await fleet.watch(20 * MINUTE)
        await asyncio.sleep(outage)
        watching = asyncio.create_task(fleet.watch(2 * HOUR))
        await asyncio.sleep(1)
        told = await fleet.told_of_new_code()
        watching.cancel()
        return told

    assert run(scenario()) <= 15


def test_logs_that_were_due_in_the_same_minutes_after_a_restart_are_not_for_long() -> None:
    async def scenario() -> list[float]:
        fleet = Fleet(Log(Started(at=at(-24 * HOUR))), quiet_for=24 * HOUR, many=100)
        await fleet.watch(HOUR)
        return fleet.log.reads

    minutes = Counter(moment // MINUTE for moment in run(scenario()))
    assert max(minutes.values()) <= 55, "the first ones, in two or three minutes together"
    assert max(count for minute, count in minutes.items() if minute >= 12) <= 30, "about eleven are what it takes"


@pytest.mark.parametrize("quiet_for", [MINUTE, 24 * HOUR])
def test_the_log_of_a_quiet_spout_is_not_read_before_the_poll_has_given_it_a_turn(quiet_for: float) -> None:
    async def scenario() -> list[list[float]]:
        log, reads, pipeline = Log(), [], a_pipeline(workers=(1, 1))
        user_code = UserCode(log, now=lambda: at(now()))

        async def look() -> None:
            await user_code.health(pipeline, running_since(-quiet_for), None, NO_SECRETS)
            reads.append([*log.reads])

        await look()
        await asyncio.sleep(HOUR)
        await look()
        user_code.due({pipeline.name})
        await look()
        return reads

    assert run(scenario()) == [[], [], [HOUR]], "whatever else it is looked at for"


def test_a_worker_that_is_not_up_is_not_asked() -> None:
    async def scenario() -> tuple[Health | None, list[float]]:
        log = Log(Started(at=at(0)))
        health, _ = await UserCode(log, now=lambda: NOON).health(a_pipeline(workers=(0, 1)), {}, None, NO_SECRETS)
        return health, log.reads

    assert run(scenario()) == (None, [])


def test_nothing_is_kept_of_pipelines_that_no_spout_names() -> None:
    async def scenario(names: Callable[[PipelineName], set[PipelineName]]) -> Collection[PipelineName]:
        user_code, pipeline = UserCode(Log(), now=lambda: at(now())), a_pipeline(workers=(1, 1))
        await user_code.health(pipeline, {}, None, NO_SECRETS)
        user_code.due(names(pipeline.name))
        await asyncio.sleep(HOUR)
        return user_code.due({pipeline.name})

    assert len(run(scenario(lambda name: {name}))) == 1
    assert not run(scenario(lambda _name: set()))


def test_a_log_that_was_read_meanwhile_is_not_read_again_in_the_same_turn() -> None:
    async def scenario() -> tuple[int, bool]:
        log = Log(Started(at=at(-HOUR)))
        user_code = UserCode(log, now=lambda: at(now()))
        pipeline = a_pipeline(workers=(1, 1))
        await user_code.health(pipeline, running_since(-HOUR), None, NO_SECRETS)
        await asyncio.sleep(HOUR)
        assert user_code.due({pipeline.name}) == {pipeline.name: 0}
        await user_code.health(pipeline, running_since(-HOUR), None, NO_SECRETS)
        return len(log.reads), await user_code.is_as_told(pipeline.name) and len(log.reads) == 1

    assert run(scenario()) == (1, True)


def test_each_quiet_pipeline_has_a_pause_of_its_own_after_its_log_was_read() -> None:
    async def pause(name: PipelineName) -> float:
        user_code = UserCode(Log(), now=lambda: at(now()))
        await user_code.health(a_pipeline(name=name, workers=(1, 1)), running_since(-24 * HOUR), None, NO_SECRETS)
        await asyncio.sleep(HOUR / 2)
        user_code.due({name})
        assert await user_code.is_as_told(name)
        begin = now()
        while not user_code.due({name}):  # noqa: ASYNC110 - polls
            await asyncio.sleep(1)
        return now() - begin

    pauses = {run(pause(PipelineName(name=name))) for name in ("one", "two", "three")}
    assert len(pauses) == 3, pauses
    assert min(pauses) >= 450
    assert max(pauses) <= 601
