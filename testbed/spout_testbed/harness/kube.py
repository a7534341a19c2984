"""The administrator of a bed, over the official client."""

from kubernetes import client, config

from spout_testbed import Testbed


def administrator(bed: Testbed) -> client.ApiClient:
    """A client with all rights; a `with` statement closes it."""
    settings = client.Configuration()
    # The client has types, but this helper has none.
    config.load_kube_config(str(bed.kubeconfig), client_configuration=settings)  # type: ignore[no-untyped-call]
    return client.ApiClient(settings)
