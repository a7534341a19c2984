"""Reads a marker from a finished commit, never more of it than is shown."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from spout_operator.core import marker as markers
from spout_operator.core.model import Commit, Marker, MarkerFile
from spout_operator.pachyderm.v1 import codec
from spout_operator.pachyderm.v1.client import DeadlineClient


def read_marker(client: DeadlineClient, repo: str, path: str, commit: Commit) -> Marker:
    """The marker at `path` in a finished commit of the marker branch.

    Raises:
        grpc.RpcError: the call failed; NOT_FOUND-like where there is nothing at `path`.
    """
    found = client.inspect_file((repo, commit.id), path)
    if codec.is_directory(found):
        files = _files_below(client, repo, path, commit)
        shown = tuple(islice(files, markers.MOST_FILES))
        total = len(shown) + sum(1 for _ in files)
    else:
        shown = (_read(client, repo, path, commit, size=found.size_bytes, longest=markers.LONGEST_READ),)
        total = 1
    return Marker(
        path=path,
        is_directory=codec.is_directory(found),
        files=shown,
        files_total=total,
        commit=commit.id,
        finished_at=commit.finished_at,
    )


def _files_below(client: DeadlineClient, repo: str, path: str, commit: Commit) -> Iterator[MarkerFile]:
    shown = 0
    for info in client.walk_file((repo, commit.id), path):
        if codec.is_directory(info):
            continue
        shown += 1
        longest = markers.LONGEST_LISTED_VALUE if shown <= markers.MOST_FILES else 0
        yield _read(client, repo, info.file.path.lstrip("/"), commit, size=info.size_bytes, longest=longest)


def _read(client: DeadlineClient, repo: str, path: str, commit: Commit, *, size: int, longest: int) -> MarkerFile:
    content: bytes | None = None
    if size == 0:
        content = b""
    elif size <= longest:
        content = b"".join(_chunks(client.get_file((repo, commit.id), path)))
    return MarkerFile(path=path, size=size, content=content)


def _chunks(file: Any) -> Iterator[bytes]:  # noqa: ANN401 - the SDK publishes no types
    yield from file
