"""Reads a marker from a finished commit, never more of it than is shown."""

import contextlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from spout_operator.core.marker import Marker, MarkerFile, MarkerLimits
from spout_operator.core.model import Commit
from spout_operator.pachyderm.v1 import codec
from spout_operator.pachyderm.v1.branches import MARKER_BRANCH
from spout_operator.pachyderm.v1.client import DeadlineClient

# The SDK publishes no types.
Message = Any


def read_marker(client: DeadlineClient, repo: str, path: str, commit: Commit, limits: MarkerLimits) -> Marker:
    """The marker at `path` in a finished commit of the marker branch.

    Pachyderm 1.13.4, driver.go walkFile: a walk begins with what is at the path itself, and is empty where there is
    nothing. So that there is none is known from an answer, and not from the words of a failure.

    Raises:
        grpc.RpcError: a call failed.
    """
    with _walk(client, repo, path, commit) as found:
        top = next(found, None)
        is_directory = top is not None and codec.is_directory(top)
        files = (info for info in (found if is_directory else filter(None, [top])) if not codec.is_directory(info))
        shown = list(islice(files, limits.most_files))
        counted = len(shown) + sum(1 for _ in islice(files, limits.most_counted + 1 - len(shown)))
    longest = limits.longest_listed_file if is_directory else limits.longest_file
    return Marker(
        path=path,
        branch=MARKER_BRANCH,
        is_directory=is_directory,
        files=tuple(
            MarkerFile(
                path=info.file.path.lstrip("/"),
                size=info.size_bytes,
                content=_content(client, repo, commit, info, longest=longest),
            )
            for info in shown
        ),
        files_total=counted if counted <= limits.most_counted else None,
        commit=commit.id,
        finished_at=commit.finished_at,
    )


@contextlib.contextmanager
def _walk(client: DeadlineClient, repo: str, path: str, commit: Commit) -> Iterator[Iterator[Message]]:
    """What is at and below a path; the server is let go before all of it was read."""
    found = client.walk_file((repo, commit.id), path)
    try:
        yield found
    finally:
        found.cancel()


def _content(client: DeadlineClient, repo: str, commit: Commit, info: Message, *, longest: int) -> bytes | None:
    if info.size_bytes == 0:
        return b""
    if info.size_bytes > longest:
        return None
    return b"".join(client.get_file((repo, commit.id), info.file.path))
