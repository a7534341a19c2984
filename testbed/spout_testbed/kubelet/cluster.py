"""What the kubelet asks the API server for, in one namespace."""

from collections.abc import Mapping

from spout_testbed.kube_api import HTTP_NOT_FOUND, Json, KubeApi, KubeApiError
from spout_testbed.kubelet import replicas
from spout_testbed.kubelet.environment import ConfigError, decoded

_TOKEN_SECONDS = 24 * 60 * 60


class Cluster:
    """The objects of one namespace."""

    def __init__(self, api: KubeApi, namespace: str, *, authority: bytes) -> None:
        self._api = api
        self._core = f"/api/v1/namespaces/{namespace}"
        self._namespace = namespace
        self._authority = authority
        """The certificate of the authority of the API server."""

    def register_node(self) -> None:
        """Create the node."""
        self._api.ensure("/api/v1/nodes", replicas.node())

    def controllers(self) -> list[Json]:
        """The ReplicationControllers of all workers."""
        return self._items("replicationcontrollers?labelSelector=component%3Dworker")

    def pods(self) -> list[Json]:
        """The Pods of all workers."""
        return self._items("pods?labelSelector=component%3Dworker")

    def create_pod(self, pod: Json) -> None:
        """Create a Pod."""
        self._api.create(f"{self._core}/pods", pod)

    def delete_pod(self, name: str) -> None:
        """Delete a Pod, at once."""
        self._api.delete(f"{self._core}/pods/{name}")

    def report_pod(self, name: str, status: Json) -> None:
        """Write the status of a Pod, if it still exists."""
        self._report("pods", name, status)

    def report_controller(self, name: str, status: Json) -> None:
        """Write the status of a ReplicationController, if it still exists."""
        self._report("replicationcontrollers", name, status)

    def read(self, kind: str, name: str) -> Mapping[str, bytes]:
        """The entries of a Secret or ConfigMap; see `spout_testbed.kubelet.environment.Reader`."""
        try:
            return decoded(kind, self._api.get(f"{self._core}/{kind}s/{name}"))
        except KubeApiError as error:
            if error.status != HTTP_NOT_FOUND:
                raise
            raise ConfigError(f'{kind} "{name}" not found') from error

    def account(self, name: str) -> Mapping[str, bytes]:
        """The files that a Pod of this ServiceAccount sees; empty if there is no such ServiceAccount."""
        request: Json = {"spec": {"expirationSeconds": _TOKEN_SECONDS}}
        try:
            granted = self._api.create(f"{self._core}/serviceaccounts/{name}/token", request)
        except KubeApiError as error:
            if error.status != HTTP_NOT_FOUND:
                raise
            return {}
        token = str(granted["status"]["token"]).encode()
        return {"token": token, "namespace": self._namespace.encode(), "ca.crt": self._authority}

    def close(self) -> None:
        """Close the connection."""
        self._api.close()

    def _items(self, path: str) -> list[Json]:
        return list(self._api.get(f"{self._core}/{path}")["items"])

    def _report(self, plural: str, name: str, status: Json) -> None:
        try:
            self._api.patch(f"{self._core}/{plural}/{name}/status", {"status": status})
        except KubeApiError as error:
            if error.status != HTTP_NOT_FOUND:
                raise
