"""Gets into the cluster."""

import yaml
from kubernetes import client, config

from spout_operator.kubernetes.errors import ClusterError


def connect() -> client.ApiClient:
    """The official client, with the service account inside a cluster, else with the kubeconfig.

    Raises:
        ClusterError: neither is there.
    """
    try:
        config.load_incluster_config()  # type: ignore[no-untyped-call] # as the client has it
    except config.ConfigException:
        try:
            config.load_kube_config()  # type: ignore[no-untyped-call] # as the client has it
        # TypeError is what the client raises for YAML that is no mapping.
        except (config.ConfigException, yaml.YAMLError, OSError, TypeError) as error:
            raise ClusterError(
                "no way into a Kubernetes cluster: no service account, and no usable kubeconfig "
                f"({_first_line(error)}); run inside a cluster or give --kubeconfig"
            ) from error
    configuration = client.Configuration.get_default_copy()
    # urllib3 would try three times more by itself: beyond the deadline, and without asking whether this replica leads.
    configuration.retries = False
    return client.ApiClient(configuration)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
