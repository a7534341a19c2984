"""What keeps the operator from starting on a cluster."""

from spout_operator.config import CommandError


class ClusterError(CommandError):
    """The cluster is not as the operator needs it, or cannot be reached."""
