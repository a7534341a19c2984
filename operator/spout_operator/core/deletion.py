"""What to do about the pipeline of a Spout that is being deleted. One step at a time."""

from spout_operator.core.decision import Action, Decision
from spout_operator.core.model import DEFAULT_PROJECT, DeletionPolicy, Owner, Pipeline, PipelineName
from spout_operator.core.reasons import Reason

#: There is nothing left to see to.
IS_GONE = Decision(action=Action.RELEASE, reason=Reason.DELETING, message="the pipeline is gone")


def decide_deletion(policy: DeletionPolicy, owner: Owner, observed: Pipeline | None) -> Decision:
    """The next step for a Spout that is being deleted; RELEASE lets the resource go."""
    if policy is DeletionPolicy.ORPHAN:
        return Decision(
            action=Action.RELEASE,
            reason=Reason.DELETING,
            message="the pipeline stays: deletionPolicy is Orphan",
        )
    if observed is None:
        return IS_GONE
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


def held(policy: DeletionPolicy, name: PipelineName) -> str:
    """What to do where a Spout is being deleted and Pachyderm cannot tell whose its pipeline is: it is left alone."""
    by_hand = f"pachctl delete pipeline {name.name}{' --keep-repo' if policy is DeletionPolicy.KEEP_REPO else ''}"
    if name.project != DEFAULT_PROJECT:
        by_hand += f" --project {name.project}"
    return (
        "whose it is cannot be told, so it is not deleted and the Spout stays. If it is this Spout's, delete it by "
        f"hand: {by_hand}; or set spec.deletionPolicy to Orphan, which lets the Spout go and leaves the pipeline"
    )
