"""What to do about a Spout, given what it asks for and what Pachyderm holds. One step at a time.

A list of small checks, asked in order; the first that has an answer decides. Nothing here does anything:
`controller.reconciler` carries a decision out and observes again.
"""

import dataclasses
import enum
from collections.abc import Callable

from spout_operator.core import policy
from spout_operator.core.errors import Stalled
from spout_operator.core.model import AdoptionPolicy, Owner, Pipeline, PipelineSpec, Spout
from spout_operator.core.not_owned import not_owned
from spout_operator.core.policy import Denial
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Capabilities, Server
from spout_operator.core.spec.comparison import changes
from spout_operator.core.unsupported import unsupported


class Action(enum.Enum):
    """The one step to make."""

    NONE = "none"
    CREATE = "create"
    UPDATE = "update"
    START = "start"
    STOP = "stop"
    DELETE = "delete"
    DELETE_KEEP_REPO = "delete, keep the repo"
    RELEASE = "release"
    TAKE_OVER = "take over"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A step, the reason that conditions show while it takes effect, and the fields that changed."""

    action: Action
    reason: Reason
    message: str
    changed: tuple[str, ...] = ()
    is_stalled: bool = False
    """Whether nothing is done until a person has acted, although the pipeline goes on."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What the operator last wrote to a pipeline, and the version that came of it."""

    spec: PipelineSpec
    version: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """All that a decision is based on."""

    spout: Spout
    """What is asked for."""
    owner: Owner
    """This Spout."""
    observed: Pipeline | None
    """The pipeline of that name; None where there is none."""
    older_claim: str | None
    """An older Spout (`namespace/name`) that names the same pipeline, if there is one."""
    written: Written | None
    """The operator's last write to this pipeline; None where there was none in this run."""
    capabilities: Capabilities
    """What the server can do."""
    server: Server
    """Where the pipeline is or is to be."""
    last_seen: Server | None
    """Where the pipeline was when it was last observed, as the status says; None where the status tells of none."""
    denials: tuple[Denial, ...] = ()
    """What the Spout asks for and the policy does not allow."""


def decide(situation: Situation) -> Decision:
    """The next step for a Spout that is wanted: the answer of the first of `CHECKS` that has one.

    Raises:
        Stalled: PolicyDenied, PachydermReplaced, UnsupportedByServer, PipelineConflict, PipelineNotOwned,
            InvalidSpec or PipelineRejected. A person has to act.
    """
    for check in CHECKS:
        decision = check(situation)
        if decision is not None:
            return decision
    return Decision(action=Action.NONE, reason=Reason.APPLIED, message="the pipeline is as the Spout asks")


def policy_denies(situation: Situation) -> Decision | None:
    """The policy does not allow what the Spout asks for: a pipeline that it has goes on as it is.

    The first check, so that a name which is not allowed does not tell whose pipeline has it.

    Raises:
        Stalled: PolicyDenied, where the Spout has no pipeline.
    """
    if not situation.denials:
        return None
    message = policy.message(situation.spout.key.namespace, situation.denials)
    observed = situation.observed
    if observed is None or observed.spec is None or observed.owner != situation.owner:
        raise Stalled(Reason.POLICY_DENIED, message)
    message += ". The pipeline goes on as it is; until the policy allows the Spout, no edit is taken in"
    return Decision(action=Action.NONE, reason=Reason.POLICY_DENIED, message=message, is_stalled=True)


def server_was_replaced(situation: Situation) -> None:
    """There is no pipeline, and there was one on a Pachyderm of another major version.

    Made anew, the spout would begin from nothing, and nobody would be told (docs/decisions/0016-replaced-server.md).

    Raises:
        Stalled: PachydermReplaced.
    """
    before, now, name = situation.last_seen, situation.server, situation.spout.pipeline_name
    if situation.observed is not None or before is None or before.major_version == now.major_version:
        return
    raise Stalled(
        Reason.PACHYDERM_REPLACED,
        f"the pipeline {name!r} was on Pachyderm {before.version} at {before.address}; now Pachyderm {now.version} "
        f"answers at {now.address} and does not have it. The operator does not create it there, because the spout "
        "would start without its position and its commits, which the status still shows. Give the operator the "
        "address of the old Pachyderm; or, to start from nothing on the new one, delete this Spout and create it "
        "again, which leaves the old Pachyderm as it is",
    )


def server_cannot(situation: Situation) -> None:
    """The spec asks for what this server does not have.

    Raises:
        Stalled: UnsupportedByServer, naming each such field.
    """
    fields = unsupported(situation.spout, situation.capabilities)
    if fields:
        raise Stalled(
            Reason.UNSUPPORTED_BY_SERVER,
            f"{', '.join(fields)}: this version of Pachyderm does not support it; take it out of the spec, or use a "
            "version that does",
        )


def older_spout_wins(situation: Situation) -> None:
    """There is no pipeline, or one without an owner, and an older Spout is to have it.

    Raises:
        Stalled: PipelineConflict.
    """
    if (situation.observed is None or _is_up_for_adoption(situation)) and situation.older_claim is not None:
        raise Stalled(
            Reason.PIPELINE_CONFLICT,
            f"the older Spout {situation.older_claim} names the pipeline {situation.spout.pipeline_name!r} too and "
            "wins; delete one of the two, or make this one anew with another spec.name",
        )


def is_missing(situation: Situation) -> Decision | None:
    """There is no pipeline: it is created."""
    if situation.observed is not None:
        return None
    return Decision(action=Action.CREATE, reason=Reason.CREATING, message="creating the pipeline")


def is_not_ours(situation: Situation) -> None:
    """The pipeline belongs to somebody else, or is no spout.

    Raises:
        Stalled: PipelineNotOwned.
    """
    observed = situation.observed
    if observed is None or _is_up_for_adoption(situation):
        return
    if observed.owner != situation.owner or observed.spec is None:
        raise Stalled(Reason.PIPELINE_NOT_OWNED, not_owned(observed, situation.owner))


def marker_must_stay(situation: Situation) -> None:
    """The marker is another one than the pipeline has, which the CRD refuses too.

    Raises:
        Stalled: InvalidSpec, where the server cannot change it.
    """
    kept = _observed_spec(situation)
    if kept is None or not kept.spout.marker or situation.capabilities.marker_can_change:
        return
    if situation.spout.spec.spout.marker != kept.spout.marker:
        raise Stalled(
            Reason.INVALID_SPEC,
            f"spec.spout.marker: the pipeline keeps its position in {kept.spout.marker!r}, and its worker "
            "would not start with another; set it back, or make a Spout with another spec.name",
        )


def server_keeps_other_values(situation: Situation) -> None:
    """The pipeline was just written, and still differs: writing again would restart the spout for ever.

    Raises:
        Stalled: PipelineRejected, naming the fields.
    """
    written, observed = situation.written, situation.observed
    if written is None or observed is None:
        return
    is_as_written = written.spec == situation.spout.spec and written.version == observed.version
    if is_as_written and (changed := _changed(situation)):
        raise Stalled(
            Reason.PIPELINE_REJECTED,
            f"Pachyderm took the pipeline but keeps other values than asked for in {', '.join(changed)}; "
            "it is not updated again, because every update restarts the spout: change these fields",
        )


def is_unowned(situation: Situation) -> Decision | None:
    """The pipeline has no owner, and the Spout takes it over: without a restart where the server can.

    Raises:
        Stalled: AdoptionRestarts, where the owner annotations alone would restart the spout.
    """
    if not _is_up_for_adoption(situation):
        return None
    name, changed = situation.spout.pipeline_name, _changed(situation)
    if situation.capabilities.takes_over_without_restart:
        message = f"taking over the pipeline {name!r}, which has no owner"
        return Decision(action=Action.TAKE_OVER, reason=Reason.ADOPTING, message=message)
    if changed:
        message = f"taking over the pipeline {name!r}, which has no owner, with an update: {', '.join(changed)}"
        return Decision(action=Action.UPDATE, reason=Reason.ADOPTING, message=message, changed=changed)
    raise Stalled(
        Reason.ADOPTION_RESTARTS,
        f"the pipeline {name!r} is as the Spout asks and has no owner. This version of Pachyderm can write the owner "
        "only into a new version of the pipeline, which restarts the spout once; the marker is kept. To allow the "
        "restart, set spec.restartNonce to any text",
    )


def differs(situation: Situation) -> Decision | None:
    """The pipeline is not as asked for: it is updated."""
    changed = _changed(situation)
    if not changed:
        return None
    message = f"updating the pipeline: {', '.join(changed)}"
    return Decision(action=Action.UPDATE, reason=Reason.UPDATING, message=message, changed=changed)


def has_to_stop(situation: Situation) -> Decision | None:
    """The Spout is suspended, and the pipeline runs."""
    if situation.observed is None or situation.observed.stopped or not situation.spout.suspend:
        return None
    message = "stopping the pipeline: spec.suspend is true"
    return Decision(action=Action.STOP, reason=Reason.STOPPING, message=message)


def has_to_start(situation: Situation) -> Decision | None:
    """The Spout is not suspended, and the pipeline is stopped."""
    if situation.observed is None or not situation.observed.stopped or situation.spout.suspend:
        return None
    message = "starting the pipeline: spec.suspend is not true"
    return Decision(action=Action.START, reason=Reason.STARTING, message=message)


Check = Callable[[Situation], Decision | None]

CHECKS: tuple[Check, ...] = (
    policy_denies,
    server_was_replaced,
    server_cannot,
    older_spout_wins,
    is_missing,
    is_not_ours,
    marker_must_stay,
    server_keeps_other_values,
    is_unowned,
    differs,
    has_to_stop,
    has_to_start,
)
"""In this order: an earlier answer makes the later questions pointless."""


def _is_up_for_adoption(situation: Situation) -> bool:
    observed = situation.observed
    return (
        observed is not None
        and observed.spec is not None
        and observed.owner is None
        and situation.spout.adoption_policy is AdoptionPolicy.IF_UNOWNED
    )


def _observed_spec(situation: Situation) -> PipelineSpec | None:
    return situation.observed.spec if situation.observed is not None else None


def _changed(situation: Situation) -> tuple[str, ...]:
    kept = _observed_spec(situation)
    return changes(situation.spout.spec, kept) if kept is not None else ()
