"""Gets into the cluster, and sees that it is as the operator needs it before anything starts."""

import http
from typing import Any

import urllib3.exceptions
import yaml
from kubernetes import client, config

from spout_operator.config import ConfigError
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION

_DEADLINE = (5, 15)


def connect() -> client.ApiClient:
    """The official client, with the service account inside a cluster, else with the kubeconfig.

    Raises:
        ConfigError: neither is there.
    """
    try:
        config.load_incluster_config()  # type: ignore[no-untyped-call] # as the client has it
    except config.ConfigException:
        try:
            config.load_kube_config()  # type: ignore[no-untyped-call] # as the client has it
        # TypeError is what the client raises for YAML that is no mapping.
        except (config.ConfigException, yaml.YAMLError, OSError, TypeError) as error:
            raise ConfigError(
                "no way into a Kubernetes cluster: no service account, and no usable kubeconfig "
                f"({_first_line(error)}); run inside a cluster or give --kubeconfig"
            ) from error
    return client.ApiClient()


def check_crd(api_client: client.ApiClient, namespaces: tuple[str, ...]) -> None:
    """See that Spouts can be listed.

    Raises:
        ConfigError: the CRD is missing, the rights are, or the API server does not answer.
    """
    api = client.CustomObjectsApi(api_client)
    common: dict[str, Any] = {
        "group": GROUP,
        "version": VERSION,
        "plural": PLURAL,
        "limit": 1,
        "_request_timeout": _DEADLINE,
    }
    try:
        for namespace in namespaces:
            api.list_namespaced_custom_object(namespace=namespace, **common)
        if not namespaces:
            api.list_cluster_custom_object(**common)
    except client.ApiException as error:
        if error.status == http.HTTPStatus.NOT_FOUND:
            raise ConfigError(
                f"the cluster does not know {PLURAL}.{GROUP}/{VERSION}; install the CRD first: kubectl apply -k crds"
            ) from error
        if error.status == http.HTTPStatus.FORBIDDEN:
            raise ConfigError(
                f"the operator may not list {PLURAL}.{GROUP}; grant it list, watch and patch (deploy/base/rbac.yaml), "
                "or watch only some namespaces with --namespace"
            ) from error
        raise ConfigError(
            f"could not list {PLURAL}.{GROUP}: the API server answered {error.status} {error.reason}"
        ) from error
    except urllib3.exceptions.HTTPError as error:
        raise ConfigError(f"the API server at {api_client.configuration.host} does not answer: {error}") from error


def cluster_uid(api_client: client.ApiClient) -> str:
    """The identity of the cluster: the uid of its namespace kube-system, which is never made anew.

    Raises:
        ConfigError: it may not be read.
    """
    # Not CoreV1Api: its import alone takes a second and 22 MB, for hundreds of models that nothing here needs.
    request = api_client.param_serialize(
        method="GET",
        resource_path="/api/v1/namespaces/kube-system",
        header_params={"Accept": "application/json"},
        auth_settings=["BearerToken"],
    )
    try:
        response = api_client.call_api(*request, _request_timeout=_DEADLINE)
        response.read()  # type: ignore[no-untyped-call] # as the client has it
        found: Any = api_client.response_deserialize(response, {"200": "object"}).data
    except client.ApiException as error:
        raise ConfigError(
            f"could not read the namespace kube-system, whose uid identifies this cluster: {error.status} "
            f"{error.reason}; grant get on it (deploy/base/rbac.yaml), or give --cluster-id"
        ) from error
    return str(found["metadata"]["uid"])


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
