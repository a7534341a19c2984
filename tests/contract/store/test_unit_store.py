"""What every store does with the archives of a spout (spout_operator.bridge.store)."""

from collections.abc import Callable

import pytest

from spout_operator.bridge.errors import Refused, StoreFailed
from spout_operator.bridge.store import Committed, Part
from tests.contract.store.conftest import Side, commit

Make = Callable[..., Side]


def test_each_archive_with_data_is_one_commit(side_of: Make) -> None:
    side = side_of()
    first = commit(side.store, {"a": b"1", "d/b": b"22", "empty/": b"", "none": b""})
    second = commit(side.store, {"c": b"3"})

    assert first == Committed(commit="0001", files=3, size=3, has_marker=False)
    assert second == Committed(commit="0002", files=1, size=1, has_marker=False)
    assert side.seen("0001") == {"a": b"1", "d/b": b"22", "empty/": b"", "none": b""}
    assert side.seen("0002") == {"c": b"3"}


@pytest.mark.parametrize(("overwrite", "second"), [(False, b"onetwo"), (True, b"two")])
def test_overwrite_decides_what_becomes_of_a_file_that_comes_again(
    side_of: Make, overwrite: bool, second: bytes
) -> None:
    side = side_of(overwrite=overwrite)
    commit(side.store, {"a": b"one"})
    commit(side.store, {"a": b"two"})
    assert (side.seen("0001"), side.seen("0002")) == ({"a": b"one"}, {"a": second})


@pytest.mark.parametrize(("overwrite", "content"), [(False, b"onetwo"), (True, b"two")])
def test_a_path_twice_in_one_archive_follows_the_same_rule(side_of: Make, overwrite: bool, content: bytes) -> None:
    side = side_of(overwrite=overwrite)
    transaction = side.store.begin()
    transaction.write_file(Part.DATA, "a", [b"one"])
    transaction.write_file(Part.DATA, "a", [b"two"])
    transaction.finish()
    assert side.seen("0001") == {"a": content}


def test_data_and_marker_become_visible_together(side_of: Make) -> None:
    side = side_of()
    transaction = side.store.begin()
    transaction.write_file(Part.DATA, "a", [b"1"])
    transaction.write_file(Part.MARKER, "offset", [b"1"])
    assert (side.commits, side.marker) == ([], {})
    transaction.finish()
    assert (side.commits, side.marker) == (["0001"], {"offset": b"1"})


def test_a_marker_alone_makes_no_commit(side_of: Make) -> None:
    side = side_of()
    assert commit(side.store, marker={"offset": b"7"}) == Committed(commit=None, files=0, size=0, has_marker=True)
    assert (side.commits, side.marker) == ([], {"offset": b"7"})


def test_a_marker_is_always_replaced(side_of: Make) -> None:
    side = side_of(overwrite=False)
    for content in (b"1", b"2", b"3"):
        commit(side.store, marker={"offset": content})
    assert side.marker == {"offset": b"3"}


def test_a_file_of_a_marker_folder_is_replaced_and_the_others_stay(side_of: Make) -> None:
    side = side_of()
    commit(side.store, marker={"offset/0": b"1", "offset/1": b"1"})
    commit(side.store, {"a": b""}, {"offset/1": b"2"})
    commit(side.store, marker={"offset/2": b"3"})
    assert side.marker == {"offset/0": b"1", "offset/1": b"2", "offset/2": b"3"}


def test_nothing_of_a_discarded_archive_is_left(side_of: Make) -> None:
    side = side_of()
    transaction = side.store.begin()
    transaction.write_file(Part.DATA, "a", [b"1"])
    transaction.write_file(Part.MARKER, "offset", [b"1"])
    transaction.discard()
    assert (side.commits, side.marker) == ([], {})
    assert commit(side.store, {"a": b"2"}).commit == "0001"
    assert side.seen("0001") == {"a": b"2"}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [({"a": b""}, {"a/b": b""}), ({"a/b": b""}, {"a": b""}), ({"a": b""}, {"a/": b""})],
    ids=["file below a file", "file in the place of a folder", "folder in the place of a file"],
)
@pytest.mark.parametrize("separate", [True, False])
def test_a_path_cannot_be_file_and_folder(
    side_of: Make, earlier: dict[str, bytes], later: dict[str, bytes], separate: bool
) -> None:
    side = side_of()
    if separate:
        commit(side.store, earlier)
    transaction = side.store.begin()
    with pytest.raises(Refused, match="choose another name"):  # noqa: PT012 - the second of two writes
        for path in ([] if separate else list(earlier)) + list(later):
            if path.endswith("/"):
                transaction.write_folder(Part.DATA, path.rstrip("/"))
            else:
                transaction.write_file(Part.DATA, path, [b"x"])
    transaction.discard()
    assert len(side.commits) == separate


def test_a_restart_goes_on_where_it_was(side_of: Make) -> None:
    side = side_of()
    commit(side.store, {"a": b"1"}, {"offset": b"1"})
    side.reopen()
    assert side.marker == {"offset": b"1"}
    commit(side.store, {"a": b"2"})
    assert side.seen("0002") == {"a": b"12"}


def test_a_second_process_is_told_who_has_the_store(side_of: Make) -> None:
    side_of()
    with pytest.raises(StoreFailed, match=r"the process \d+ uses this folder"):
        side_of()
