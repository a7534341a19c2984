"""The marker is read whatever a spout wrote, and only as much of it as the status can show."""

import os

import pytest

from spout_operator.core.errors import Missing
from spout_operator.core.marker import Marker, MarkerFile
from spout_operator.core.status import marker as markers
from spout_operator.pachyderm.v1.branches import MARKER_BRANCH
from tests.contract.pachyderm.harness import NO_COMMIT, SPEC
from tests.contract.pachyderm.sides_1 import SideOne


def written(one: SideOne, files: dict[str, bytes], path: str = "offset") -> Marker:
    """The marker as the port reads it. There has to be one."""
    name = one.created()
    found: Marker | None = one.port.marker(name, path, one.spout.marker(name, files), limits=markers.LIMITS)
    assert found is not None
    return found


def test_a_marker_file_has_its_content_commit_and_finish_time(one: SideOne) -> None:
    name = one.created()
    head = one.spout.marker(name, {"offset": b"1041"})

    found = one.port.marker(name, "offset", head, limits=markers.LIMITS)

    assert found is not None
    assert found.finished_at is not None
    assert found == Marker(
        path="offset",
        branch=MARKER_BRANCH,
        is_directory=False,
        files=(MarkerFile(path="offset", size=4, content=b"1041"),),
        files_total=1,
        commit=head,
        finished_at=found.finished_at,
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff\xfe\n\x80", id="no-text"),
        pytest.param("三 🎛\n".encode(), id="other-scripts"),
        pytest.param(os.urandom(markers.LONGEST_VALUE + 1), id="too-long-to-show"),
        pytest.param(b"x" * markers.LONGEST_READ, id="as-long-as-is-read"),
    ],
)
def test_the_bytes_of_a_marker_file_are_read_as_they_were_written(one: SideOne, content: bytes) -> None:
    assert written(one, {"offset": content}).files == (MarkerFile(path="offset", size=len(content), content=content),)


def test_a_marker_file_that_is_too_long_to_read_has_only_its_size(one: SideOne) -> None:
    size = markers.LONGEST_READ + 1

    assert written(one, {"offset": b"x" * size}).files == (MarkerFile(path="offset", size=size, content=None),)


def test_a_marker_directory_lists_its_files_by_name_at_every_depth(one: SideOne) -> None:
    found = written(one, {"offset/b": b"2", "offset/a/c": b"1", "offset/z": b""})

    assert (found.is_directory, found.files_total) == (True, 3)
    assert found.files == (
        MarkerFile(path="offset/a/c", size=1, content=b"1"),
        MarkerFile(path="offset/b", size=1, content=b"2"),
        MarkerFile(path="offset/z", size=0, content=b""),
    )


def test_a_long_marker_directory_is_counted_in_full_and_read_in_part(one: SideOne) -> None:
    found = written(one, {f"offset/{number:02}": b"%d" % number for number in range(20)})

    assert found.files_total == 20
    assert [file.path for file in found.files] == [f"offset/{number:02}" for number in range(markers.MOST_FILES)]
    assert found.files[-1].content == b"%d" % (markers.MOST_FILES - 1)


def test_a_long_file_in_a_marker_directory_has_only_its_size(one: SideOne) -> None:
    longest = markers.LONGEST_LISTED_VALUE
    found = written(one, {"offset/a": b"x" * longest, "offset/b": b"x" * (longest + 1)})

    assert [(file.size, file.content) for file in found.files] == [(longest, b"x" * longest), (longest + 1, None)]


@pytest.mark.parametrize("path", ["state/offset", "/offset", "offset/"])
def test_a_marker_path_may_have_slashes_at_its_ends(one: SideOne, path: str) -> None:
    found = written(one, {path.strip("/"): b"1"}, path)

    assert (found.path, found.is_directory, found.files[0].content) == (path, False, b"1")


def test_files_beside_the_marker_path_are_ignored(one: SideOne) -> None:
    found = written(one, {"offset": b"1", "offset.old": b"2", "off": b"3"})

    assert [(file.path, file.content) for file in found.files] == [("offset", b"1")]


def test_a_commit_without_the_marker_path_has_an_absent_marker(one: SideOne) -> None:
    name = one.created()
    head = one.spout.marker(name, {"offset.old": b"1"})

    found = one.port.marker(name, "offset", head, limits=markers.LIMITS)

    assert found is not None
    assert found.is_absent
    assert (found.commit, found.finished_at is not None, found.files_total) == (head, True, 0)


def test_an_empty_commit_has_an_absent_marker(one: SideOne) -> None:
    name = one.created()

    found = one.port.marker(name, "offset", one.spout.marker(name, {}), limits=markers.LIMITS)

    assert found is not None
    assert found.is_absent


def test_an_open_marker_commit_has_no_marker_yet(one: SideOne) -> None:
    name = one.created(SPEC)
    one.spout.marker(name, {"offset": b"1"})

    assert (
        one.port.marker(name, "offset", one.spout.marker(name, {"offset": b"2"}, finished=False), limits=markers.LIMITS)
        is None
    )


def test_a_marker_of_an_unknown_commit_is_missing(one: SideOne) -> None:
    with pytest.raises(Missing, match="could not read the marker") as caught:
        one.port.marker(one.created(), "offset", NO_COMMIT, limits=markers.LIMITS)
    assert NO_COMMIT in caught.value.said


def test_an_older_head_still_has_the_older_marker(one: SideOne) -> None:
    name = one.created()
    older = one.spout.marker(name, {"offset": b"1"})
    one.spout.marker(name, {"offset": b"2"})

    found = one.port.marker(name, "offset", older, limits=markers.LIMITS)

    assert found is not None
    assert found.files[0].content == b"1"


def test_a_marker_directory_with_too_many_files_has_no_count_and_is_read_within_the_deadline(one: SideOne) -> None:
    name = one.created()
    head = one.spout.many_files(name, "offset", markers.MOST_COUNTED + 1)

    found = one.port.marker(name, "offset", head, limits=markers.LIMITS)

    assert found is not None
    assert (found.is_directory, found.files_total, len(found.files)) == (True, None, markers.MOST_FILES)
