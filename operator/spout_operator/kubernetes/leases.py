"""The port `Leases` over coordination.k8s.io/v1."""

import datetime
import http
from typing import Any

from spout_operator.blocking import BlockingCalls, in_thread
from spout_operator.core.lease import Lease
from spout_operator.kubernetes.api import Api, ApiError

#: Seconds to connect, and to answer: two tries have to fit into the renew deadline.
DEADLINE = (2.0, 4.0)


class KubernetesLeases:
    """See `spout_operator.ports.Leases` for the contract."""

    def __init__(self, api: Api, *, namespace: str, name: str) -> None:
        self.calls = BlockingCalls("lease", threads=1)
        self._api = api
        self._namespace = namespace
        self._name = name
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"

    @in_thread
    def read(self) -> Lease | None:
        try:
            return _parse(self._request("get", f"{self._path}/{self._name}"))
        except ApiError as error:
            if error.status == http.HTTPStatus.NOT_FOUND:
                return None
            raise

    @in_thread
    def write(self, lease: Lease) -> Lease:
        metadata: dict[str, str] = {"name": self._name, "namespace": self._namespace}
        spec = {
            "holderIdentity": lease.holder,
            "leaseDurationSeconds": int(lease.duration),
            "acquireTime": _print(lease.acquired),
            "renewTime": _print(lease.renewed),
            "leaseTransitions": lease.transitions,
        }
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        if not lease.version:
            return _parse(self._request("create", self._path, body))
        metadata["resourceVersion"] = lease.version
        return _parse(self._request("update", f"{self._path}/{self._name}", body))

    def close(self) -> None:
        self.calls.close()

    def _request(self, verb: str, path: str, body: object = None) -> dict[str, Any]:
        doing = f"{verb} the Lease {self._namespace}/{self._name}"
        return self._api.request(verb, path, doing=doing, resource="leases", body=body)


def _parse(body: dict[str, Any]) -> Lease:
    # Somebody may have made an empty one: every field is optional.
    spec = body.get("spec") or {}
    return Lease(
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or 0),
        acquired=_time(spec.get("acquireTime")),
        renewed=_time(spec.get("renewTime")),
        transitions=spec.get("leaseTransitions") or 0,
        version=body["metadata"]["resourceVersion"],
    )


def _time(text: str | None) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(text) if text else None


def _print(time: datetime.datetime | None) -> str | None:
    """As MicroTime wants it: exactly six digits after the point."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if time else None
