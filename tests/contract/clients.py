"""The operator's way to a real kube-apiserver, for the suites of the ports that it serves."""

from pathlib import Path

from spout_operator.kubernetes.api import Api
from spout_operator.ports import Permit
from spout_operator.telemetry.metrics import Metrics
from spout_testbed.harness.cluster import client_of

#: Seconds to connect, and to answer: enough for a server on the same machine.
DEADLINE = (2.0, 2.0)


def an_api(kubeconfig: Path, *, permit: Permit | None = None) -> Api:
    """Requests as the operator makes them, by the user of a kubeconfig."""
    # As `kubernetes.access.connect` has it, one request is one attempt.
    return Api(client_of(kubeconfig, retries=False), telemetry=Metrics(), permit=permit, deadline=DEADLINE)
