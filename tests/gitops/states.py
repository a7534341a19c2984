"""Every state that a Spout can be in, as the operator's own code writes it."""

import itertools
from dataclasses import dataclass
from typing import Any

from spout_operator.core import conditions
from spout_operator.core.conditions import Condition
from spout_operator.core.decision import Action, Decision
from spout_operator.core.errors import Retryable, SpoutError, Stalled, Unreachable
from spout_operator.core.model import PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.core.status import Knowledge, Server, build
from tests.builders import NOON, a_pipeline, a_spout_body

GENERATION = 4
Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class State:
    """A Spout, and what the operator means by it."""

    name: str
    body: Body
    ready: str
    stalled: bool = False
    reason: str = ""


def states() -> list[State]:
    """All of them, by name."""
    found = [_seen("pending", conditions.pending())]
    found += [_seen(f"step {action.value}", _step(action)) for action in Action if action is not Action.NONE]
    for state, stopped, workers in itertools.product(PipelineState, (False, True), ((0, 1), (1, 1), None)):
        pipeline = a_pipeline(state=state, stopped=stopped, workers=workers)
        nothing = Decision(action=Action.NONE, reason=Reason.APPLIED, message="the pipeline is as asked for")
        name = f"{state} {'stopped ' if stopped else ''}{workers}"
        found.append(_seen(name, conditions.of_decision(nothing, pipeline), suspend=stopped))
    for kind, reason in itertools.product((Stalled, Retryable), Reason):
        error: SpoutError = kind(reason, "what was found, and what to do")
        found.append(_seen(f"{kind.__name__} {reason}", conditions.of_error(error, error.message)))
    away = Unreachable("pachd does not answer")
    found.append(_seen("unreachable", conditions.of_error(away, away.message)))
    return found


def unseen() -> Body:
    """One that the operator has not looked at yet."""
    return a_spout_body(generation=GENERATION)


def _step(action: Action) -> tuple[Condition, ...]:
    return conditions.of_decision(Decision(action=action, reason=Reason.UPDATING, message="on its way"), None)


def _seen(name: str, found: tuple[Condition, ...], *, suspend: bool = False) -> State:
    knowledge = Knowledge(conditions=found, server=Server(address="grpc://pachd:650"))
    status = build({}, knowledge, generation=GENERATION, now=NOON)
    body = a_spout_body({"suspend": True} if suspend else None, status=status, generation=GENERATION)
    by_type = {condition.type: condition for condition in found}
    return State(
        name=name,
        body=body,
        ready=by_type[conditions.READY].status,
        stalled=conditions.STALLED in by_type,
        reason=str(by_type[conditions.READY].reason),
    )
