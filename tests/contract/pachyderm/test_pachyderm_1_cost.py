"""What a call costs the server: with a thousand spouts, one needless request is a thousand."""

import time

import pytest

from spout_operator.core.status import marker as markers
from spout_operator.pachyderm.connection import DEADLINE
from tests.contract.pachyderm.harness import OWNER, SPEC
from tests.contract.pachyderm.sides_1 import SideOne
from tests.memory_pachd import MemoryPachd

WRITES = {"CreatePipeline", "StartPipeline", "StopPipeline", "DeletePipeline"}


def test_observing_never_writes(memory_one: SideOne, pachd_one: MemoryPachd) -> None:
    name = memory_one.created()
    head = memory_one.spout.commit(name)
    marker = memory_one.spout.marker(name, {"offset": b"1"})
    pachd_one.calls.reset()

    memory_one.port.server()
    memory_one.port.observe(name)
    memory_one.port.list()
    memory_one.port.heads(name)
    memory_one.port.commits(name, head, since=None, most=10)
    memory_one.port.marker(name, "offset", marker, limits=markers.LIMITS)

    assert pachd_one.calls
    assert not WRITES & set(pachd_one.calls)


def test_creating_an_existing_pipeline_writes_nothing(memory_one: SideOne, pachd_one: MemoryPachd) -> None:
    name = memory_one.created()
    pachd_one.calls.reset()

    memory_one.port.create(name, SPEC, OWNER)

    assert not WRITES & set(pachd_one.calls)


def test_the_version_is_requested_once(memory_one: SideOne, pachd_one: MemoryPachd) -> None:
    assert memory_one.port.server() == memory_one.port.server()

    assert pachd_one.calls == {"GetVersion": 1}


def test_the_list_is_one_call_however_many_pipelines_there_are(memory_one: SideOne, pachd_one: MemoryPachd) -> None:
    names = {memory_one.created() for _ in range(5)}
    pachd_one.calls.reset()

    assert set(memory_one.port.list()) == names

    assert pachd_one.calls == {"ListPipeline": 1}


def test_reading_the_heads_is_one_call(memory_one: SideOne, pachd_one: MemoryPachd) -> None:
    name = memory_one.created()
    pachd_one.calls.reset()

    memory_one.port.heads(name)

    assert pachd_one.calls == {"ListBranch": 1}


def in_pages(one: SideOne, name: str, head: str, *, since: str | None, most: int) -> list[str]:
    """The ids of all commits, read page by page."""
    found: list[str] = []
    following: str | None = head
    while following not in {None, since}:
        page = one.port.commits(name, following or "", since=since, most=most)
        found += [commit.id for commit in page]
        following = page[-1].parent
    return found


@pytest.mark.parametrize(
    ("commits", "since", "pages"),
    [
        pytest.param(9, None, 1, id="less-than-a-page"),
        pytest.param(10, None, 1, id="just-a-page"),
        pytest.param(11, None, 2, id="one-more-than-a-page"),
        pytest.param(30, None, 3, id="some-pages"),
        pytest.param(35, 30, 1, id="the-last-few-of-many"),
        pytest.param(35, 24, 1, id="the-known-one-just-behind-a-page"),
        pytest.param(35, 23, 2, id="the-known-one-on-the-next-page"),
        pytest.param(35, 0, 4, id="all-but-the-first"),
    ],
)
def test_reading_commits_costs_one_call_a_page_of_new_commits(
    memory_one: SideOne, pachd_one: MemoryPachd, *, commits: int, since: int | None, pages: int
) -> None:
    name = memory_one.created()
    ids = [memory_one.spout.commit(name) for _ in range(commits)]
    known = None if since is None else ids[since]
    first_new = 0 if since is None else since + 1
    pachd_one.calls.reset()

    assert in_pages(memory_one, name, ids[-1], since=known, most=10) == ids[first_new:][::-1]

    assert pachd_one.calls["ListCommitStream"] == pages


def test_a_since_commit_of_another_branch_returns_all_commits_on_every_page(memory_one: SideOne) -> None:
    name = memory_one.created()
    ids = [memory_one.spout.commit(name) for _ in range(25)]
    stranger = memory_one.spout.commit(name, branch="side")

    assert in_pages(memory_one, name, ids[-1], since=stranger, most=10) == ids[::-1]


@pytest.mark.parametrize(
    ("files", "reads"),
    [
        pytest.param({"offset": b"x" * markers.LONGEST_READ}, 1, id="the-longest-that-is-read"),
        pytest.param({"offset": b"x" * (markers.LONGEST_READ + 1)}, 0, id="a-longer-one"),
        pytest.param({"offset": b""}, 0, id="an-empty-one"),
        pytest.param({f"offset/{number}": b"1" for number in range(100)}, markers.MOST_FILES, id="many"),
    ],
)
def test_only_the_displayed_files_of_a_marker_are_read(
    memory_one: SideOne, pachd_one: MemoryPachd, files: dict[str, bytes], reads: int
) -> None:
    name = memory_one.created()
    head = memory_one.spout.marker(name, files)

    found = memory_one.port.marker(name, "offset", head, limits=markers.LIMITS)

    assert found is not None
    assert found.files_total == len(files)
    assert pachd_one.calls["GetFile"] == reads


@pytest.mark.parametrize(
    ("files", "total"),
    [
        pytest.param(markers.MOST_COUNTED, markers.MOST_COUNTED, id="as-many-as-are-counted"),
        pytest.param(100_000, None, id="many-more"),
    ],
)
def test_a_directory_of_many_files_is_counted_only_as_far_as_the_deadline_allows(
    memory_one: SideOne, pachd_one: MemoryPachd, files: int, total: int | None
) -> None:
    name = memory_one.created()
    head = memory_one.spout.many_files(name, "offset", files)
    asked = time.monotonic()

    found = memory_one.port.marker(name, "offset", head, limits=markers.LIMITS)

    assert time.monotonic() - asked < DEADLINE
    assert found is not None
    assert found.files_total == total
    assert pachd_one.calls["GetFile"] == markers.MOST_FILES
