"""What to do about a Spout, given what it asks for and what Pachyderm holds. One step at a time.

A chain of small questions, asked in order; the first that has an answer decides. Nothing here
does anything: `controller.reconciler` carries a decision out and observes again.
"""

import dataclasses
import enum

from spout_operator.core.errors import Stalled
from spout_operator.core.model import DeletionPolicy, Owner, Pipeline, PipelineSpec, Spout
from spout_operator.core.reasons import Reason
from spout_operator.core.spec.comparison import changes

STAMP_SPOUT = "spout-operator.io/spout"
STAMP_CLUSTER = "spout-operator.io/cluster"
STAMP_RESTART = "spout-operator.io/restart-nonce"


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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A step, the reason that conditions show while it takes effect, and the fields that changed."""

    action: Action
    reason: Reason
    message: str
    changed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What the operator last wrote to a pipeline, and the version that came of it."""

    spec: PipelineSpec
    version: int


def decide(
    spout: Spout, owner: Owner, observed: Pipeline | None, *, older_claim: str | None, written: Written | None
) -> Decision:
    """The next step for a Spout that is wanted.

    Args:
        spout: what is asked for.
        owner: the stamp of this Spout.
        observed: the pipeline of that name, None where there is none.
        older_claim: an older Spout (`namespace/name`) that names the same pipeline, if there is one.
        written: the operator's last write to this pipeline, None where there was none in this run.

    Raises:
        Stalled: PipelineConflict, PipelineNotOwned or PipelineRejected: a person has to act.
    """
    if observed is None:
        if older_claim is not None:
            raise Stalled(
                Reason.PIPELINE_CONFLICT,
                f"the older Spout {older_claim} names the pipeline {spout.pipeline_name!r} too and wins; "
                "delete one of the two, or make this one anew with another spec.name",
            )
        return Decision(action=Action.CREATE, reason=Reason.CREATING, message="creating the pipeline")
    if observed.owner != owner or observed.spec is None:
        raise Stalled(Reason.PIPELINE_NOT_OWNED, _not_owned(observed, owner))
    changed = changes(spout.spec, observed.spec)
    if observed.spec.spout.marker and "spout.marker" in changed:
        # The CRD refuses it too. Measured on 1.13.4: the worker then fails for ever with "file not found in
        # repo at commit", because it looks for the new name in the old marker, while the state is RUNNING.
        raise Stalled(
            Reason.INVALID_SPEC,
            f"spec.spout.marker: the pipeline keeps its position in {observed.spec.spout.marker!r}, and its worker "
            "would not start with another; set it back, or make a Spout with another spec.name",
        )
    if changed:
        if written is not None and written.spec == spout.spec and written.version == observed.version:
            raise Stalled(
                Reason.PIPELINE_REJECTED,
                f"Pachyderm took the pipeline but keeps other values than asked for in {', '.join(changed)}; "
                "it is not updated again, because every update restarts the spout: change these fields",
            )
        return Decision(
            action=Action.UPDATE,
            reason=Reason.UPDATING,
            message=f"updating the pipeline: {', '.join(changed)}",
            changed=changed,
        )
    if spout.suspend and not observed.stopped:
        return Decision(
            action=Action.STOP, reason=Reason.STOPPING, message="stopping the pipeline: spec.suspend is true"
        )
    if observed.stopped and not spout.suspend:
        return Decision(
            action=Action.START,
            reason=Reason.STARTING,
            message="starting the pipeline: spec.suspend is not true",
        )
    return Decision(action=Action.NONE, reason=Reason.APPLIED, message="the pipeline is as the Spout asks")


def decide_deletion(policy: DeletionPolicy, owner: Owner, observed: Pipeline | None) -> Decision:
    """The next step for a Spout that is being deleted; RELEASE lets the resource go."""
    if policy is DeletionPolicy.ORPHAN:
        return Decision(
            action=Action.RELEASE,
            reason=Reason.DELETING,
            message="the pipeline stays: deletionPolicy is Orphan",
        )
    if observed is None:
        return Decision(action=Action.RELEASE, reason=Reason.DELETING, message="the pipeline is gone")
    if observed.owner != owner:
        return Decision(
            action=Action.RELEASE,
            reason=Reason.DELETING,
            message="the pipeline is not this Spout's and stays",
        )
    if policy is DeletionPolicy.KEEP_REPO:
        return Decision(
            action=Action.DELETE_KEEP_REPO,
            reason=Reason.DELETING,
            message="deleting the pipeline, keeping its repo",
        )
    return Decision(action=Action.DELETE, reason=Reason.DELETING, message="deleting the pipeline and its repo")


def held(policy: DeletionPolicy, name: str) -> str:
    """What to do where a Spout is being deleted and Pachyderm cannot tell whose its pipeline is: it is left alone."""
    by_hand = f"pachctl delete pipeline {name}{' --keep-repo' if policy is DeletionPolicy.KEEP_REPO else ''}"
    return (
        "whose it is cannot be told, so it is not deleted and the Spout stays. If it is this Spout's, delete it by "
        f"hand: {by_hand}; or set spec.deletionPolicy to Orphan, which lets the Spout go and leaves the pipeline"
    )


def _not_owned(observed: Pipeline, owner: Owner) -> str:
    if observed.owner == owner:
        return (
            f"the pipeline {observed.name!r} carries this Spout's stamp but is no spout; it is left alone: "
            "delete it in Pachyderm; or set spec.deletionPolicy to Orphan, which keeps the pipeline when this Spout "
            "is deleted, and make the Spout anew with another spec.name"
        )
    if observed.owner is None:
        return (
            f"the pipeline {observed.name!r} exists and carries no stamp of this operator; it is left alone. "
            "Make this Spout anew with another spec.name, or hand the pipeline over: update it in Pachyderm with "
            "metadata.annotations "
            f'"{STAMP_SPOUT}": "{owner.spout}" and "{STAMP_CLUSTER}": "{owner.cluster}"'
        )
    if observed.owner.cluster == owner.cluster:
        return (
            f"the pipeline {observed.name!r} belongs to the Spout {observed.owner.spout}; it is left alone: "
            "make this Spout anew with another spec.name"
        )
    return (
        f"the pipeline {observed.name!r} belongs to the Spout {observed.owner.spout} of another cluster "
        f"({observed.owner.cluster}); it is left alone: make this Spout anew with another spec.name; or, only where "
        f"that cluster is gone for good and this one takes its place, start the operator with "
        f"--cluster-id={observed.owner.cluster}"
    )
