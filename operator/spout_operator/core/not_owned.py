"""What to say of a pipeline that does not belong to the Spout that names it."""

from spout_operator.core.model import Owner, Pipeline


def not_owned(observed: Pipeline, owner: Owner) -> str:
    """Why the pipeline is left alone, and what its user can do.

    Args:
        observed: the pipeline.
        owner: the Spout that names it.
    """
    if observed.owner == owner:
        return (
            f"the pipeline {observed.name!r} carries this Spout's owner annotations but is no spout; it is left alone: "
            "delete it in Pachyderm; or set spec.deletionPolicy to Orphan, which keeps the pipeline when this Spout "
            "is deleted, and make the Spout anew with another spec.name"
        )
    if observed.owner is None:
        return (
            f"the pipeline {observed.name!r} exists and carries no owner annotations; it is left alone. "
            f"{'To take it over, set spec.adoptionPolicy to IfUnowned; or make' if observed.spec else 'Make'} "
            "this Spout anew with another spec.name"
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
