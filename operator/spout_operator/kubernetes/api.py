"""Requests to the API server: the one place where they get their deadline, their permit and their count.

No class of the official client's for an API is used: each brings models for all kinds of its group, CoreV1Api alone a
second and 22 MB at import (docs/decisions/0005-sdk-without-admin.md), and what is read here are a few fields.
"""

import http
import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
import urllib3.exceptions
from kubernetes import client

from spout_operator.core.errors import Outdated, Retryable
from spout_operator.core.reasons import Reason
from spout_operator.ports import Permit, Telemetry

Answer = dict[str, Any]
Read = TypeVar("Read")

#: Seconds to connect, and to answer.
DEADLINE = (5.0, 15.0)
FIELD_MANAGER = "spout-operator"
JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


class ApiError(Retryable):
    """The API server refused; `status` is its HTTP status and `body` what it said."""

    def __init__(self, message: str, *, status: int, body: str) -> None:
        super().__init__(Reason.INTERNAL_ERROR, message)
        self.status = status
        self.body = body


class Api:
    """The official client's connection, credentials and proxies, and requests of our own over it."""

    def __init__(
        self,
        api_client: client.ApiClient,
        *,
        telemetry: Telemetry,
        permit: Permit | None = None,
        deadline: tuple[float, float] = DEADLINE,
    ) -> None:
        """Use a client that is logged in.

        Args:
            api_client: the official one.
            telemetry: told of each request.
            permit: asked before each request; None where no election bounds them.
            deadline: seconds to connect, and to answer.
        """
        self._client = api_client
        self._telemetry = telemetry
        self._permit = permit
        self._deadline = deadline

    @property
    def host(self) -> str:
        """The API server, for messages."""
        return str(self._client.configuration.host)

    def request(
        self,
        verb: str,
        path: str,
        *,
        doing: str,
        resource: str,
        query: dict[str, str] | None = None,
        body: object = None,
        content_type: str = JSON,
        accept: str = JSON,
        reader: Callable[[bytes], Read] = json.loads,
    ) -> Read:
        """Make one request and return its answer.

        Args:
            verb: of Kubernetes: get, list, create, update or patch.
            path: from the server's root, with no slash in a name.
            doing: what this is, for messages: "could not ...".
            resource: what metrics count it under.
            query: of the URL.
            body: sent as JSON.
            content_type: of the body.
            accept: of the answer.
            reader: makes an object of the answer's bytes; by default an `Answer` of its JSON.

        Raises:
            ApiError: the server refused; Outdated, where because of a conflict.
            Retryable: it did not answer, or in another form.
        """
        connect, read = self._deadline
        if self._permit is not None:
            read = min(read, self._permit())
        method = {"create": "POST", "update": "PUT", "patch": "PATCH"}.get(verb, "GET")
        headers = {"Accept": accept} | ({"Content-Type": content_type} if body is not None else {})
        if method != "GET":
            query = {**(query or {}), "fieldManager": FIELD_MANAGER}
        serialized = self._client.param_serialize(
            method=method,
            resource_path=quote(path),
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        ended = self._telemetry.requesting("kubernetes", verb, resource)
        try:
            response = self._client.call_api(*serialized, _request_timeout=(min(connect, read), read))
            data: bytes = response.read()  # type: ignore[no-untyped-call] # as the client has it
        except (urllib3.exceptions.HTTPError, client.ApiException) as error:
            # The client makes an exception of its own, with no status, of what is wrong with TLS.
            ended("error")
            # Without the seconds: they are what is left of the Lease, and each other message would be a status write.
            is_late = isinstance(error, urllib3.exceptions.TimeoutError)
            said = "no answer in time" if is_late else " ".join(f"{type(error).__name__}: {error}".split())
            raise Retryable(Reason.INTERNAL_ERROR, f"could not {doing}: {said}") from error
        ended(str(response.status))
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            said = data.decode(errors="replace")
            if response.status == http.HTTPStatus.CONFLICT and "UID" not in said:
                raise Outdated(f"could not {doing}: it has changed since it was read")
            reason = f"the API server answered {response.status} {response.reason}"
            raise ApiError(f"could not {doing}: {reason}", status=response.status, body=said)
        try:
            return reader(data)
        except (ValueError, msgspec.MsgspecError) as error:
            # A proxy in between has answered, say.
            said = f"{type(error).__name__}: {error}"
            raise Retryable(Reason.INTERNAL_ERROR, f"could not {doing}: the answer cannot be read: {said}") from error
