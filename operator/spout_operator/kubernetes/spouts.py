"""The port `Spouts` over the API server: one PATCH per write, with a deadline."""

import http
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spout_operator.blocking import BlockingCalls, in_thread
from spout_operator.core.errors import NamespaceUnavailable
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource
from spout_operator.kubernetes import metadata
from spout_operator.kubernetes.api import JSON_PATCH, MERGE_PATCH, Answer, Api, ApiError
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION

#: Requests at a time.
THREADS = 4
#: Objects of a list that are asked for at once. A page is in memory as a whole, and the thread that read it keeps that.
PAGE = "100"


class KubernetesSpouts:
    """See `spout_operator.ports.Spouts` for the contract."""

    def __init__(self, api: Api) -> None:
        self.calls = BlockingCalls("kubernetes", threads=THREADS)
        self._api = api

    @in_thread
    def read(self, key: SpoutKey) -> SpoutResource | None:
        return self._call("get", key, doing=f"read the Spout {key}")

    @in_thread
    def versions(self, namespace: str | None) -> Mapping[SpoutKey, int]:
        where = f"the namespace {namespace!r}" if namespace is not None else "all namespaces"
        try:
            if namespace is not None:
                self._require(namespace)
            listed = self._list(_path(namespace), doing=f"list the Spouts of {where}")
            return {SpoutKey(found.namespace, found.name): int(found.version) for found in listed}
        except ApiError as error:
            if error.status == http.HTTPStatus.FORBIDDEN:
                raise NamespaceUnavailable(f"{error.message}; grant the operator its rights there") from error
            raise

    @in_thread
    def write_status(self, key: SpoutKey, uid: str, status: Mapping[str, Any]) -> SpoutResource | None:
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

    @in_thread
    def write_finalizers(
        self, key: SpoutKey, uid: str, resource_version: str, finalizers: Sequence[str]
    ) -> SpoutResource | None:
        patch = {"metadata": {"uid": uid, "resourceVersion": resource_version, "finalizers": list(finalizers)}}
        return self._call(
            "patch", key, doing=f"write the finalizers of the Spout {key}", body=patch, content_type=MERGE_PATCH
        )

    def close(self) -> None:
        self.calls.close()

    async def ended(self) -> None:
        await self.calls.ended()

    def _call(
        self,
        verb: str,
        key: SpoutKey,
        *,
        doing: str,
        subresource: str = "",
        body: object = None,
        content_type: str = "",
    ) -> SpoutResource | None:
        try:
            found: Answer = self._api.request(
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
        return SpoutResource.from_body(found)

    def _require(self, namespace: str) -> None:
        """See that a namespace is there: the list of one that is not is empty, and no error."""
        try:
            self._api.request(
                "get",
                f"/api/v1/namespaces/{namespace}",
                doing=f"read the namespace {namespace!r}",
                resource="namespaces",
            )
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise
            raise NamespaceUnavailable(
                f"the namespace {namespace!r} does not exist; create it, or do not watch it", is_gone=True
            ) from error

    def _list(self, path: str, *, doing: str) -> Iterator[metadata.Metadata]:
        """What there is, one page in memory at a time: of each Spout more than is kept of it."""
        query = {"limit": PAGE}
        while True:
            page = self._api.request(
                *("list", path),
                doing=doing,
                resource=PLURAL,
                query=query,
                accept=metadata.LIST,
                reader=metadata.read_page,
            )
            yield from page.found
            if not page.next:
                return
            query = {"limit": PAGE, "continue": page.next}


def _path(namespace: str | None) -> str:
    place = f"namespaces/{namespace}/" if namespace is not None else ""
    return f"/apis/{GROUP}/{VERSION}/{place}{PLURAL}"


def _is_of_another_object(error: ApiError) -> bool:
    """Whether a write was refused because the name belongs to another object by now.

    kube-apiserver 1.36 answers a JSON patch whose `test` fails with 422 and no cause; a status that the schema refuses
    has causes. A conflict that is left here is one of uids: any other is Outdated already.
    """
    is_failed_test = error.status == http.HTTPStatus.UNPROCESSABLE_ENTITY and '"causes"' not in error.body
    return is_failed_test or error.status == http.HTTPStatus.CONFLICT
