"""One step to a pipeline: what is asked of the server, what is told, and what is remembered of it."""

import asyncio
import dataclasses
from dataclasses import dataclass, field
from typing import Any

import pytest

from spout_operator.controller.events import EventRecorder
from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.observations import ObservationCache
from spout_operator.controller.pipelines import Pipelines
from spout_operator.controller.policy import PolicyInForce
from spout_operator.core.decision import Action, Decision, Situation, Written
from spout_operator.core.errors import Retryable, Stalled
from spout_operator.core.model import PipelineName, PipelineSpec, Service, Spout, SpoutOptions
from spout_operator.core.policy import RESTRICTED
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Server
from spout_operator.telemetry.metrics import Metrics
from tests.builders import (
    CAPABILITIES,
    a_failure,
    a_key,
    a_name,
    a_pipeline,
    a_refusal,
    a_resource,
    a_situation,
    a_spec,
    a_spout,
    a_transform,
    an_owner,
)
from tests.fakes.memory_events import MemoryEvents
from tests.fakes.memory_pipelines import ADDRESS, VERSION, MemoryPipelines
from tests.unit.controller.world import now

KEY, NAME, OURS = a_key(), a_name(), an_owner()
EDITED = a_spec(description="edited")
SERVER = Server(address=ADDRESS, version=VERSION, capabilities=CAPABILITIES)
LAST_SEEN = Server(address=ADDRESS, version="0.9.0")
OBSERVED = a_pipeline(version=7)


class Stepping:
    """The pipelines under test, over a server in memory."""

    def __init__(self, server: MemoryPipelines) -> None:
        self.server, self.events, metrics = server, MemoryEvents(), Metrics()
        self.observations = ObservationCache(HeadReads(interval=10, quiet_interval=300))
        self._recorder = EventRecorder(self.events, telemetry=metrics, address=ADDRESS, now=now)
        self.tested = Pipelines(server, self.observations, self._recorder, PolicyInForce(RESTRICTED, metrics))

    async def act(self, action: Action, situation: Situation | None = None, **fields: Any) -> None:
        decision = Decision(**{"action": action, "reason": Reason.UPDATING, "message": "said", **fields})
        await self.tested.act(decision, situation or a_situation(), a_resource())

    async def told(self) -> list[str]:
        """The notes of all Events."""
        writing = asyncio.ensure_future(self._recorder.run())
        await asyncio.sleep(1)
        writing.cancel()
        return [stored.event.note for stored in self.events.stored]

    def situation(self, spout: Spout, server: Server = SERVER) -> Situation:
        return self.tested.situation(
            spout, OURS, server=server, last_seen=LAST_SEEN, observed=OBSERVED, older_claim="ingest/older"
        )

    @property
    def written(self) -> Written | None:
        """What is remembered of the last write."""
        return self.situation(a_spout()).written


@pytest.fixture
def stepping(pipelines: MemoryPipelines) -> Stepping:
    return Stepping(pipelines)


@dataclass(frozen=True, kw_only=True)
class Step:
    reason: str
    action: Action
    spec: PipelineSpec = field(default_factory=a_spec)
    changed: tuple[str, ...] = ()
    there: dict[str, Any] | None = field(default_factory=dict)
    """The fields of the pipeline that is there before, beside those of `a_pipeline()`; None where there is none."""
    calls: dict[str, int]
    becomes: dict[str, Any]
    """What the pipeline is afterwards."""
    told: list[str]
    written: Written | None = None


STEPS = [
    Step(
        reason="a pipeline is created",
        action=Action.CREATE,
        spec=EDITED,
        there=None,
        calls={"server": 1, "create": 1},
        becomes={"spec": EDITED, "owner": OURS, "version": 1},
        told=["created the pipeline 'my-spout'"],
        written=Written(spec=EDITED, version=1),
    ),
    Step(
        reason="a pipeline that was there already is not said to be created, nor to be as it was written",
        action=Action.CREATE,
        spec=EDITED,
        calls={"server": 1, "create": 1},
        becomes={"spec": a_spec(), "version": 1},
        told=[],
    ),
    Step(
        reason="a pipeline is updated",
        action=Action.UPDATE,
        spec=EDITED,
        changed=("description",),
        calls={"server": 1, "update": 1},
        becomes={"spec": EDITED, "owner": OURS, "version": 2},
        told=["updated the pipeline, which restarts the spout: description"],
        written=Written(spec=EDITED, version=2),
    ),
    Step(
        reason="a pipeline is taken over",
        action=Action.TAKE_OVER,
        there={"owner": None},
        calls={"server": 1, "take_over": 1},
        becomes={"owner": OURS, "version": 1},
        told=["took over the pipeline 'my-spout', which had no owner"],
    ),
    Step(
        reason="a pipeline is started",
        action=Action.START,
        there={"stopped": True},
        calls={"server": 1, "start": 1},
        becomes={"stopped": False},
        told=["started the pipeline: spec.suspend is not true"],
    ),
    Step(
        reason="a pipeline is stopped",
        action=Action.STOP,
        calls={"server": 1, "stop": 1},
        becomes={"stopped": True},
        told=["stopped the pipeline: spec.suspend is true"],
    ),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.reason)
async def test_a_step_is_carried_out_told_and_remembered(
    stepping: Stepping, pipelines: MemoryPipelines, step: Step
) -> None:
    if step.there is not None:
        pipelines.make(NAME, a_spec(), OURS)
        pipelines.change(NAME, **step.there)
    stepping.observations.remember(a_pipeline())

    await stepping.act(step.action, a_situation(spout=a_spout(spec=step.spec)), changed=step.changed)

    assert pipelines.calls == step.calls
    found = await pipelines.observe(NAME)
    assert found is not None
    assert {name: getattr(found, name) for name in step.becomes} == step.becomes
    assert await stepping.told() == step.told
    assert stepping.written == step.written
    assert stepping.observations.observed(NAME) is None, "what was observed before holds no longer"


async def test_a_step_that_fails_is_not_told_and_what_was_observed_holds_no_longer(
    stepping: Stepping, pipelines: MemoryPipelines
) -> None:
    stepping.observations.remember(a_pipeline())
    pipelines.fail("create", a_failure())

    with pytest.raises(Retryable):
        await stepping.act(Action.CREATE)

    assert await stepping.told() == []
    assert (stepping.written, stepping.observations.observed(NAME)) == (None, None)


@pytest.mark.parametrize("action", [Action.NONE, Action.DELETE, Action.RELEASE])
async def test_what_is_no_step_of_a_spout_that_is_wanted_is_a_defect(stepping: Stepping, action: Action) -> None:
    with pytest.raises(AssertionError, match=f"{action} is no step of a Spout that is wanted"):
        await stepping.act(action)


@pytest.mark.parametrize(
    ("observed", "said", "reason"),
    [
        (
            a_pipeline(spec=a_spec(transform=a_transform(env={"P": "swordfish"}))),
            "[redacted] is bad",
            "of the old spec",
        ),
        (a_pipeline(spec=None), "swordfish is bad", "nothing is known of it"),
        (None, "swordfish is bad", "there was no pipeline"),
    ],
)
async def test_the_values_of_the_pipeline_as_it_was_are_taken_out_of_what_the_server_says(
    stepping: Stepping, pipelines: MemoryPipelines, observed: Any, said: str, reason: str
) -> None:
    pipelines.fail("update", a_failure("swordfish is bad"))

    with pytest.raises(Retryable) as error:
        await stepping.act(Action.UPDATE, a_situation(observed=observed))

    assert error.value.said == said, reason


class Choosy(MemoryPipelines):
    """Pipelines of a server that refuses every spec that is checked, and says which it was."""

    async def check(self, name: PipelineName, spec: PipelineSpec) -> None:
        raise a_refusal(f"{name} {spec.description}")


@pytest.mark.parametrize("action", Action, ids=lambda action: action.value)
async def test_only_a_spec_that_is_about_to_be_written_is_checked(action: Action) -> None:
    decision = Decision(action=action, reason=Reason.UPDATING, message="said")
    checking = Stepping(Choosy()).tested.check(decision, a_spout(spec=EDITED))

    if action not in {Action.CREATE, Action.UPDATE}:
        await checking
        return
    with pytest.raises(Stalled) as error:
        await checking
    assert error.value.said == "my-spout edited"


async def test_what_was_written_is_forgotten_with_its_spout(stepping: Stepping) -> None:
    await stepping.act(Action.CREATE)
    assert stepping.written is not None

    stepping.tested.forget(a_key("another"))
    assert stepping.written is not None

    stepping.tested.forget(KEY)
    assert stepping.written is None


async def test_a_pipeline_is_observed_once_until_it_changes(stepping: Stepping, pipelines: MemoryPipelines) -> None:
    assert await stepping.tested.observe(NAME) == (None, True)
    assert await stepping.tested.observe(NAME) == (None, True), "one that is not there may come at any time"
    pipelines.make(NAME, a_spec(), OURS)

    first, second = await stepping.tested.observe(NAME), await stepping.tested.observe(NAME)

    assert (first[1], second[1]) == (True, False)
    assert first[0] == second[0] == await pipelines.observe(NAME)
    assert pipelines.calls["observe"] == 3 + 1


async def test_the_server_is_asked_until_it_is_known(stepping: Stepping, pipelines: MemoryPipelines) -> None:
    assert (await stepping.tested.server()).version == VERSION
    assert pipelines.calls == {"server": 1}

    stepping.observations.server = Server(address=ADDRESS, version="as it was told")

    assert (await stepping.tested.server()).version == "as it was told"


async def test_a_situation_holds_all_that_a_decision_is_based_on(stepping: Stepping) -> None:
    await stepping.act(Action.CREATE)

    assert stepping.situation(a_spout()) == Situation(
        spout=a_spout(),
        owner=OURS,
        observed=OBSERVED,
        older_claim="ingest/older",
        written=Written(spec=a_spec(), version=1),
        capabilities=CAPABILITIES,
        server=SERVER,
        last_seen=LAST_SEEN,
        denials=(),
    )


async def test_the_servers_defaults_are_in_the_spec_before_the_policy_is_asked(stepping: Stepping) -> None:
    found = stepping.situation(a_spout(spec=a_spec(spout=SpoutOptions(service=Service(internal_port=80)))))

    service = found.spout.spec.spout.service
    assert service is not None
    assert service.type == CAPABILITIES.service_type
    assert [denial.field for denial in found.denials] == ["spec.spout.service.type"]


async def test_a_server_that_told_nothing_of_itself_is_a_defect(stepping: Stepping) -> None:
    with pytest.raises(AssertionError, match="a server that answered has told what it can do"):
        stepping.situation(a_spout(), Server(address=ADDRESS))


async def test_commits_that_the_server_left_open_are_finished_and_logged(
    stepping: Stepping, pipelines: MemoryPipelines, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    pipelines.make(NAME, a_spec(), OURS)
    commit = pipelines.commit(NAME, finished_at=None, is_automatic=True)

    await stepping.tested.finish(NAME, [commit])

    assert caplog.messages == [f"Pipeline my-spout: finishing the commit {commit}, which Pachyderm made and left open"]
    assert dataclasses.asdict(pipelines.heads_of(NAME)) == {"output": commit, "marker": None}
    assert pipelines.calls == {"server": 1, "finish": 1}
