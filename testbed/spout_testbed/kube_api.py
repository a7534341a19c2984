"""The few calls that the test bed makes to its kube-apiserver, as plain JSON.

The runner of the workers needs only four fields of each Pod. A client library would parse every Pod into objects,
several times a second.
"""

import http.client
import json
import ssl
from pathlib import Path
from typing import Any

from spout_testbed.network import APISERVER_PORT, LOOPBACK

HTTP_NOT_FOUND = 404
HTTP_CONFLICT = 409
FIRST_ERROR = 400

Json = dict[str, Any]


class KubeApiError(Exception):
    """The API server refused a request, or did not answer (status 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"kube-apiserver answered {status}: {message}")
        self.status = status


class KubeApi:
    """Requests to the API server of the test bed, over one connection. Not safe for use from two threads at once."""

    def __init__(self, *, token: str, certificate: Path) -> None:
        self._token = token
        self._certificate = certificate
        self._connection: http.client.HTTPSConnection | None = None

    def get(self, path: str) -> Json:
        """The object or list at `path`, for example `/api/v1/namespaces/default`."""
        return self._request("GET", path, None)

    def create(self, path: str, body: Json) -> Json:
        """Create a new object in the collection at `path`."""
        return self._request("POST", path, body)

    def ensure(self, path: str, body: Json) -> None:
        """Create an object, unless it exists already."""
        try:
            self.create(path, body)
        except KubeApiError as error:
            if error.status != HTTP_CONFLICT:
                raise

    def patch(self, path: str, body: Json) -> Json:
        """Merge `body` into the object. Its lists replace those of the object."""
        return self._request("PATCH", path, body)

    def delete(self, path: str) -> None:
        """Delete the object immediately. It is not an error if the object does not exist."""
        try:
            self._request("DELETE", path, {"gracePeriodSeconds": 0})
        except KubeApiError as error:
            if error.status != HTTP_NOT_FOUND:
                raise

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _request(self, method: str, path: str, body: Json | None) -> Json:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        payload = None if body is None else json.dumps(body)
        try:
            if self._connection is None:
                context = ssl.create_default_context(cafile=str(self._certificate))
                self._connection = http.client.HTTPSConnection(LOOPBACK, APISERVER_PORT, timeout=10, context=context)
            self._connection.request(method, path, payload, headers)
            response = self._connection.getresponse()
            answer: Json = json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise KubeApiError(0, f"{method} {path}: {error!r}") from error
        if response.status >= FIRST_ERROR:
            raise KubeApiError(response.status, f"{method} {path}: {answer.get('message', answer)}")
        return answer
