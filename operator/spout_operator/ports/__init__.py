"""What the runtime needs of the outside: a Pachyderm and the Spouts of a Kubernetes cluster.

The contracts are in the docstrings, and `tests/contract` holds every adapter to them.
"""

from spout_operator.ports.kubernetes import Events, HandleEvent, Informer, Leases, Spouts
from spout_operator.ports.pachyderm import Pachyderm
from spout_operator.ports.permit import Permit
from spout_operator.ports.telemetry import Dropped, Outcome, Result, System, Telemetry

__all__ = [
    "Dropped",
    "Events",
    "HandleEvent",
    "Informer",
    "Leases",
    "Outcome",
    "Pachyderm",
    "Permit",
    "Result",
    "Spouts",
    "System",
    "Telemetry",
]
