"""What is made of the pages of a list, from an HTTP server that answers as a test says."""

import asyncio
import contextlib
import http.server
import json
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from kubernetes import client

from spout_operator.core.errors import Retryable
from spout_operator.core.model import SpoutKey
from spout_operator.kubernetes.api import Api
from spout_operator.kubernetes.spouts import KubernetesSpouts
from spout_operator.telemetry.metrics import Metrics

#: By what the client asks to continue with: the page that it gets.
Pages = Mapping[str, bytes]


@contextlib.contextmanager
def serving(pages: Pages) -> Iterator[str]:
    """The address of a server with these pages."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
            page = pages["".join(asked.get("continue", []))]
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # It looks for its end so often, in seconds.
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def versions(pages: Pages) -> Mapping[SpoutKey, int]:
    """The versions that the operator reads from these pages."""

    async def read(address: str) -> Mapping[SpoutKey, int]:
        api_client = client.ApiClient(client.Configuration(host=address))
        spouts = KubernetesSpouts(Api(api_client, telemetry=Metrics()))
        try:
            return await spouts.versions(None)
        finally:
            spouts.close()
            await spouts.ended()

    with serving(pages) as address:
        return asyncio.run(read(address))


def a_page(*names: str, following: str = "", **more: Any) -> bytes:
    items = [
        {
            "kind": "PartialObjectMetadata",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": f"uid-of-{name}",
                "resourceVersion": str(number),
                "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {".": {}}}}],
            },
        }
        for number, name in enumerate(names, start=7)
    ]
    after = {"continue": following} if following else {}
    return json.dumps({"metadata": {"resourceVersion": "9", **after}, "items": items, **more}).encode()


def key(name: str) -> SpoutKey:
    return SpoutKey(namespace="default", name=name)


def test_the_pages_of_a_list_are_read_to_the_last() -> None:
    pages = {"": a_page("one", "two", following="more"), "more": a_page("three", following="last"), "last": a_page()}

    assert versions(pages) == {key("one"): 7, key("two"): 8, key("three"): 7}


def test_an_empty_list_can_be_null() -> None:
    assert versions({"": a_page(items=None)}) == {}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"<html>Please log in</html>", "a proxy has answered"),
        (b'{"items":[{"metadata":{"name":"one"}}]}', "these are not the fields of a list of metadata"),
        (b'{"metadata":{},"items":[{"metadata":{"na', "the rest was lost"),
    ],
)
def test_an_answer_that_is_no_list_is_told_and_tried_again(answer: bytes, why: str) -> None:
    said = "could not list the Spouts of all namespaces: the answer cannot be read"
    with pytest.raises(Retryable, match=said):
        versions({"": answer})
