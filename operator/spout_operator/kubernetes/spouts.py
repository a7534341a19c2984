"""The port `Spouts` over the official client: one PATCH per write, with a deadline."""

import functools
import http
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import urllib3.exceptions
from kubernetes import client

from spout_operator.core.errors import Outdated, Retryable
from spout_operator.core.model import SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION

#: Seconds to connect and to answer.
DEADLINE = (5, 15)
FIELD_MANAGER = "spout-operator"

Body = Mapping[str, Any]


class KubernetesSpouts:
    """See `spout_operator.ports.Spouts` for the contract."""

    def __init__(self, api_client: client.ApiClient) -> None:
        self._api = client.CustomObjectsApi(api_client)

    def read(self, key: SpoutKey) -> Body | None:
        return self._call(f"read the Spout {key}", self._api.get_namespaced_custom_object, key)

    def write_status(self, key: SpoutKey, uid: str, status: Body) -> Body | None:
        patch: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": dict(status)},
        ]
        return self._call(
            f"write the status of the Spout {key}",
            functools.partial(
                self._api.patch_namespaced_custom_object_status,
                body=patch,
                field_manager=FIELD_MANAGER,
                _content_type="application/json-patch+json",
            ),
            key,
        )

    def write_finalizers(
        self, key: SpoutKey, uid: str, resource_version: str, finalizers: Sequence[str]
    ) -> Body | None:
        patch = {"metadata": {"uid": uid, "resourceVersion": resource_version, "finalizers": list(finalizers)}}
        return self._call(
            f"write the finalizers of the Spout {key}",
            functools.partial(
                self._api.patch_namespaced_custom_object,
                body=patch,
                field_manager=FIELD_MANAGER,
                _content_type="application/merge-patch+json",
            ),
            key,
        )

    def _call(self, doing: str, function: Callable[..., object], key: SpoutKey) -> Body | None:
        try:
            return cast(
                "Body",
                function(
                    group=GROUP,
                    version=VERSION,
                    plural=PLURAL,
                    namespace=key.namespace,
                    name=key.name,
                    _request_timeout=DEADLINE,
                ),
            )
        except client.ApiException as error:
            if error.status == http.HTTPStatus.NOT_FOUND or _is_of_another_object(error):
                return None
            if error.status == http.HTTPStatus.CONFLICT:
                raise Outdated(f"could not {doing}: it has changed since it was read") from error
            raise Retryable(
                Reason.INTERNAL_ERROR,
                f"could not {doing}: the API server answered {error.status} {error.reason}",
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise Retryable(Reason.INTERNAL_ERROR, f"could not {doing}: {type(error).__name__}") from error


def _is_of_another_object(error: client.ApiException) -> bool:
    """Whether a write was refused because the name belongs to another object by now.

    A failed `test` of a JSON patch is answered 422, a differing uid in a merge patch 409 with the
    words "Precondition failed: UID" (kube-apiserver 1.36).
    """
    body = str(error.body or "")
    return (error.status == http.HTTPStatus.UNPROCESSABLE_ENTITY and "/metadata/uid" in body) or (
        error.status == http.HTTPStatus.CONFLICT and "UID" in body
    )
