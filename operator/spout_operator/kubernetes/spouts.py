"""The port `Spouts` over the API server: one PATCH per write, with a deadline."""

import http
from collections.abc import Mapping, Sequence
from typing import Any

from spout_operator.core.model import SpoutKey
from spout_operator.kubernetes.api import JSON_PATCH, MERGE_PATCH, Api, ApiError
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION

Body = Mapping[str, Any]

#: Objects of a list that are asked for at once.
PAGE = "500"
#: A list of names and versions, without specs and statuses.
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class KubernetesSpouts:
    """See `spout_operator.ports.Spouts` for the contract."""

    def __init__(self, api: Api, *, namespaces: Sequence[str]) -> None:
        self._api = api
        self._namespaces = namespaces

    def read(self, key: SpoutKey) -> Body | None:
        return self._call("get", key, doing=f"read the Spout {key}")

    def versions(self) -> Mapping[SpoutKey, int]:
        found: dict[SpoutKey, int] = {}
        places: Sequence[str | None] = self._namespaces or [None]
        for namespace in places:
            for item in self._list(_path(namespace)):
                metadata = item["metadata"]
                key = SpoutKey(namespace=metadata["namespace"], name=metadata["name"])
                found[key] = int(metadata["resourceVersion"])
        return found

    def write_status(self, key: SpoutKey, uid: str, status: Body) -> Body | None:
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": dict(status)},
        ]
        return self._call(
            "patch",
            key,
            doing=f"write the status of the Spout {key}",
            subresource="/status",
            body=patch,
            content_type=JSON_PATCH,
        )

    def write_finalizers(
        self, key: SpoutKey, uid: str, resource_version: str, finalizers: Sequence[str]
    ) -> Body | None:
        patch = {"metadata": {"uid": uid, "resourceVersion": resource_version, "finalizers": list(finalizers)}}
        return self._call(
            "patch", key, doing=f"write the finalizers of the Spout {key}", body=patch, content_type=MERGE_PATCH
        )

    def _call(
        self,
        verb: str,
        key: SpoutKey,
        *,
        doing: str,
        subresource: str = "",
        body: object = None,
        content_type: str = "",
    ) -> Body | None:
        try:
            return self._api.request(
                verb,
                f"{_path(key.namespace)}/{key.name}{subresource}",
                doing=doing,
                resource=PLURAL + subresource,
                body=body,
                content_type=content_type,
            )
        except ApiError as error:
            if error.status == http.HTTPStatus.NOT_FOUND or _is_of_another_object(error):
                return None
            raise

    def _list(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        query = {"limit": PAGE}
        while True:
            page = self._api.request(
                "list", path, doing="list the Spouts", resource=PLURAL, query=query, accept=METADATA_ONLY
            )
            items += page["items"]
            query = {"limit": PAGE, "continue": page["metadata"].get("continue", "")}
            if not query["continue"]:
                return items


def _path(namespace: str | None) -> str:
    place = f"namespaces/{namespace}/" if namespace is not None else ""
    return f"/apis/{GROUP}/{VERSION}/{place}{PLURAL}"


def _is_of_another_object(error: ApiError) -> bool:
    """Whether a write was refused because the name belongs to another object by now.

    A failed `test` of a JSON patch is answered 422, a differing uid in a merge patch 409 with the
    words "Precondition failed: UID" (kube-apiserver 1.36).
    """
    return (error.status == http.HTTPStatus.UNPROCESSABLE_ENTITY and "/metadata/uid" in error.body) or (
        error.status == http.HTTPStatus.CONFLICT
    )
