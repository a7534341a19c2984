"""Every state of a Spout, as the operator's own code decides and writes it."""

import datetime
import itertools
from dataclasses import dataclass
from typing import Any

from spout_operator.core.activity import Ended, Failed, OutputRefused, Started, WorkerEvent
from spout_operator.core.decision import Action, Decision, decide
from spout_operator.core.deletion import decide_deletion
from spout_operator.core.errors import Failure, NotLeading, Outdated, Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.history import NOTHING_KNOWN
from spout_operator.core.model import AdoptionPolicy, DeletionPolicy, Pipeline, PipelineState, SecretMount
from spout_operator.core.policy import RESTRICTED, denials
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.server import Server
from spout_operator.core.status import conditions, freshness, health
from spout_operator.core.status.build import StatusInputs, build
from spout_operator.core.status.conditions import Condition
from spout_operator.core.status.health import Health
from tests.builders import NOON, a_pipeline, a_situation, a_spec, a_spout, a_spout_body, a_transform, an_owner

GENERATION = 4
SECOND = datetime.timedelta(seconds=1)
POD_FAULTS = {
    "ImagePullBackOff": 'Back-off pulling image "registry.invalid/spout:1"',
    "Unschedulable": "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    "CreateContainerConfigError": 'secret "late" not found',
    "CrashLoopBackOff": "back-off 10s restarting failed container=user",
}
RUNS = Health(ready=health.TRUE, reason=Reason.RUNNING, message="the spout is running")
SERVER = Server(address="grpc://pachd.pachyderm:650", version="1.13.4")
#: Conditions that no tool is to take for health.
BESIDE_READY = [
    Condition(type=freshness.FRESH, status=health.TRUE, reason=Reason.COMMIT_IN_TIME, message="in time"),
    Condition(type=freshness.FRESH, status=health.FALSE, reason=Reason.COMMIT_TOO_OLD, message="no commit"),
    Condition(type=freshness.FRESH, status=health.UNKNOWN, reason=Reason.PACHYDERM_UNREACHABLE, message="no answer"),
    Condition(
        type=freshness.MARKER_STALLED, status=health.TRUE, reason=Reason.COMMITS_WITHOUT_MARKER, message="no marker"
    ),
    Condition(
        type=freshness.OUTPUT_STALLED, status=health.TRUE, reason=Reason.MARKER_WITHOUT_COMMITS, message="no commits"
    ),
]
Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class State:
    """A Spout, and the decision that its status shows."""

    name: str
    body: Body
    ready: str
    stalled: bool = False
    reason: str = ""


def states() -> list[State]:
    """All states."""
    found = [_seen("pending", conditions.pending())]
    for action, observed in itertools.product(Action, (None, a_pipeline())):
        if action is not Action.NONE or observed is None:
            name = f"step {action.value}{' with a pipeline' if observed else ''}"
            found.append(
                _seen(
                    name,
                    conditions.of_decision(a_step(action), health.of_pipeline(observed, RUNS) if observed else None),
                    pipeline=observed,
                )
            )
    for state, stopped, workers in itertools.product(PipelineState, (False, True), ((0, 1), (1, 1), None)):
        pipeline = a_pipeline(state=state, stopped=stopped, workers=workers)
        name = f"{state} {'stopped ' if stopped else ''}{workers}"
        at_rest = conditions.of_decision(a_step(Action.NONE), health.of_pipeline(pipeline, RUNS))
        found.append(_seen(name, at_rest, pipeline=pipeline, suspend=stopped))
    for reason, words in POD_FAULTS.items():
        pipeline = a_pipeline(state=PipelineState.CRASHING, reason=words)
        found.append(
            _seen(
                reason,
                conditions.of_decision(a_step(Action.NONE), health.of_pipeline(pipeline, None)),
                pipeline=pipeline,
            )
        )
    for name, user_code in user_codes().items():
        found.append(_seen(name, conditions.of_decision(a_step(Action.NONE), user_code), pipeline=a_pipeline()))
    found.append(
        _seen("runs, and the policy denies it", conditions.of_decision(a_denial(), RUNS), pipeline=a_pipeline())
    )
    running = conditions.of_decision(a_step(Action.NONE), RUNS)
    for beside in BESIDE_READY:
        name = f"running, and {beside.type} is {beside.status}"
        found.append(_seen(name, (*running, beside), pipeline=a_pipeline()))
    for kind, reason in itertools.product((Stalled, Retryable), Reason):
        found.append(_failed(kind(reason, "what was found, and what to do")))
    found += [_failed(kind("pachd does not answer")) for kind in (Unreachable, Outdated, NotLeading)]
    return found


def user_codes() -> dict[str, Health]:
    """What a worker that is up can tell of its user code."""
    events: dict[str, list[WorkerEvent]] = {
        "user code unknown": [],
        "user code has begun": [Started(at=NOON)],
        "user code fails": [Started(at=NOON), Failed(at=NOON + SECOND, exit_code=3)],
        "user code has ended": [Started(at=NOON), Ended(at=NOON + SECOND)],
        "output refused": [Started(at=NOON), OutputRefused(at=NOON + SECOND, error="too long")],
    }
    return {
        name: health.of_user_code(NOTHING_KNOWN.after(found), committed_at=None, unknown=None, now=NOON + SECOND)
        for name, found in events.items()
    }


def unseen() -> Body:
    """A Spout that the operator has not reconciled yet: the status is the CRD's default."""
    return a_spout_body(status={"observedGeneration": -1}, generation=GENERATION)


def a_step(action: Action) -> Decision:
    """The operator's decision for this step."""
    owner, asked, there = an_owner(), a_spout(), a_pipeline()
    edited = a_spout(spec=a_spec(transform=a_transform(image="myaccount/myimage:0.2")))
    stopped = a_pipeline(stopped=True, state=PipelineState.PAUSED)
    wanted = {
        Action.NONE: (asked, there),
        Action.CREATE: (asked, None),
        Action.UPDATE: (edited, there),
        Action.TAKE_OVER: (a_spout(adoption_policy=AdoptionPolicy.IF_UNOWNED), a_pipeline(owner=None)),
        Action.STOP: (a_spout(suspend=True), there),
        Action.START: (asked, stopped),
    }
    policies = {
        Action.DELETE: DeletionPolicy.DELETE,
        Action.DELETE_KEEP_REPO: DeletionPolicy.KEEP_REPO,
        Action.RELEASE: DeletionPolicy.ORPHAN,
    }
    if action in policies:
        return decide_deletion(policies[action], owner, there)
    spout, observed = wanted[action]
    return decide(a_situation(spout=spout, observed=observed))


def a_denial() -> Decision:
    """The operator's decision for a Spout that runs, and that the policy no longer allows."""
    spec = a_spec(transform=a_transform(secrets=(SecretMount(name="kafka", mount_path="/etc/kafka"),)))
    spout = a_spout(spec=spec)
    return decide(a_situation(spout=spout, denials=denials(RESTRICTED, spout)))


def _failed(error: SpoutError) -> State:
    return _seen(f"{type(error).__name__} {error.reason}", conditions.of_failure(Failure.of(error)))


def _seen(name: str, found: tuple[Condition, ...], *, pipeline: Pipeline | None = None, suspend: bool = False) -> State:
    knowledge = StatusInputs(conditions=found, server=SERVER, pipeline=pipeline)
    status = build({}, knowledge, secrets=Secrets([]), generation=GENERATION, now=NOON)
    body = a_spout_body({"suspend": True} if suspend else None, status=status, generation=GENERATION)
    by_type = {condition.type: condition for condition in found}
    return State(
        name=name,
        body=body,
        ready=by_type[conditions.READY].status,
        stalled=health.STALLED in by_type,
        reason=str(by_type[conditions.READY].reason),
    )
