"""An adapter's failure that says that another one may serve."""

from spout_operator.core.errors import Stalled


class OtherApi(Stalled):
    """The server does not know the API of the adapter's major version, so it cannot even tell its own version."""
