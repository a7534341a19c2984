"""The marker as it is shown: short text by its value, all else by size and digest, and always bounded."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spout_operator.core.status.marker import MOST_COUNTED, is_unknown, to_status, unknown
from tests.builders import a_marker, a_marker_file

KIB = 1024
MIB = 1024 * KIB


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a marker file holds, and how that is shown."""

    reason: str
    content: bytes | None
    size: int | None = None
    value: str | None = None
    summary: str

    @property
    def shown(self) -> dict[str, Any]:
        """The part of the status that tells of the content."""
        size = len(self.content or b"") if self.size is None else self.size
        told: dict[str, Any] = {"summary": self.summary, "sizeBytes": size}
        if self.value is not None:
            return {**told, "value": self.value}
        return {**told, "sha256": digest(self.content)} if self.content is not None else told


def summary_of(content: bytes) -> str:
    return f"{len(content)} bytes {digest(content)[:8]}"


CONTENTS = [
    Content(reason="a Kafka offset", content=b"1041", value="1041", summary="1041"),
    Content(reason="an empty file", content=b"", value="", summary=""),
    Content(reason="the summary is one line", content=b" a\r\n\tb\n", value=" a\r\n\tb\n", summary="a b"),
    Content(
        reason="any script is text",
        content="Zürich 東京".encode(),
        value="Zürich 東京",
        summary="Zürich 東京",
    ),
    Content(reason="what just fits into the column", content=b"x" * 32, value="x" * 32, summary="x" * 32),
    Content(reason="what does not is cut, visibly", content=b"x" * 33, value="x" * 33, summary="x" * 31 + "…"),
    Content(reason="1 KiB is shown", content=b"y" * KIB, value="y" * KIB, summary="y" * 31 + "…"),
    Content(reason="more than 1 KiB is not", content=b"y" * 1025, summary=summary_of(b"y" * 1025)),
    Content(
        reason="1 KiB is counted in bytes, not in letters",
        content="ü".encode() * 513,
        summary=summary_of("ü".encode() * 513),
    ),
    Content(reason="bytes that are no UTF-8", content=b"\xff\xfe", summary=summary_of(b"\xff\xfe")),
    Content(reason="a NUL is no text", content=b"1\x00", summary=summary_of(b"1\x00")),
    Content(
        reason="an escape sequence would steer the terminal",
        content=b"\x1b[2J1041",
        summary=summary_of(b"\x1b[2J1041"),
    ),
    Content(
        reason="so would the one-byte form of it (C1)",
        content="\x9b2J".encode(),
        summary=summary_of("\x9b2J".encode()),
    ),
    Content(
        reason="a direction character would turn what stands after it",
        content="1\u202e041".encode(),
        summary=summary_of("1\u202e041".encode()),
    ),
    Content(reason="backspaces would hide what stands before", content=b"12\b\b", summary=summary_of(b"12\b\b")),
    Content(
        reason="more than 1 MiB was not read: its size is all that is known",
        content=None,
        size=2 * MIB,
        summary="2097152 bytes",
    ),
]


@pytest.mark.parametrize("row", CONTENTS, ids=lambda row: row.reason)
def test_a_marker_file_is_shown(row: Content) -> None:
    file = a_marker_file(row.content, **({} if row.size is None else {"size": row.size}))

    assert to_status(a_marker(file)) == {
        "path": "offset",
        "commit": "markercommit1",
        "updatedAt": "2026-01-31T12:00:00Z",
        **row.shown,
    }, row.reason


def test_without_a_time_none_is_shown() -> None:
    assert "updatedAt" not in to_status(a_marker(finished_at=None))


def test_a_directory_lists_its_files() -> None:
    marker = a_marker(
        a_marker_file(b"1041", path="offset/0"),
        a_marker_file(b"\x00", path="offset/1"),
        a_marker_file(None, path="offset/2", size=2 * MIB),
        is_directory=True,
    )

    shown = to_status(marker)

    assert shown["summary"] == "3 files"
    assert shown["filesTotal"] == 3
    assert shown["files"] == [
        {"path": "offset/0", "sizeBytes": 4, "value": "1041"},
        {"path": "offset/1", "sizeBytes": 1, "sha256": digest(b"\x00")},
        {"path": "offset/2", "sizeBytes": 2 * MIB},
    ]
    assert "value" not in shown, "a directory has no value of its own"


@pytest.mark.parametrize(("total", "summary"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (5000, "5000 files")])
def test_a_directory_is_summed_up_by_the_number_of_its_files(total: int, summary: str) -> None:
    assert to_status(a_marker(is_directory=True, files_total=total))["summary"] == summary


def test_of_many_files_the_first_are_listed_and_all_are_counted() -> None:
    files = [a_marker_file(path=f"offset/{number}") for number in range(17)]

    shown = to_status(a_marker(*files, is_directory=True, files_total=5000))

    assert [file["path"] for file in shown["files"]] == [f"offset/{number}" for number in range(16)]
    assert shown["filesTotal"] == 5000


def test_a_listed_value_is_shorter_than_one_that_stands_alone() -> None:
    short, long = a_marker_file(b"x" * 128, path="offset/a"), a_marker_file(b"x" * 129, path="offset/b")

    listed = to_status(a_marker(short, long, is_directory=True))["files"]

    assert ["value" in file for file in listed] == [True, False]


@pytest.mark.parametrize(
    ("length", "whole", "reason"),
    [(128, True, "what fits is shown as it is"), (129, False, "what does not is cut to what fits")],
)
def test_the_path_of_a_listed_file_is_bounded(length: int, whole: bool, reason: str) -> None:
    path = ("offset/" + "d" * length)[: length - 5] + "/last"

    [file] = to_status(a_marker(a_marker_file(path=path), is_directory=True))["files"]

    assert (file["path"] == path) is whole, reason
    assert len(file["path"]) == 128, reason
    assert file["path"].endswith("/last"), "the end of a path tells more than its beginning"


def test_long_paths_are_cut_and_stay_distinct() -> None:
    # The API server refuses a list that names one path twice, and with it the whole status.
    files = [a_marker_file(path="offset/" + "d" * 5000 + str(number) + "e" * 5000) for number in range(2)]

    paths = [file["path"] for file in to_status(a_marker(*files, is_directory=True))["files"]]

    assert len(set(paths)) == 2


contents = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode(errors="replace")),
    st.builds(
        lambda unit, size: (unit * size)[:size],
        st.sampled_from([b"\n", b'"', b"\\", b"\xff", "\U0001f600".encode(), b"x"]),
        st.sampled_from([128, 129, 1024, 1025, 100_000]),
    ),
)
files = st.builds(
    lambda content, path, unread: (
        a_marker_file(None, size=10**12, path=path) if unread else a_marker_file(content, path=path)
    ),
    contents,
    st.builds(lambda unit, size: "offset/" + unit * size, st.sampled_from("a/"), st.sampled_from([1, 60, 5000])),
    st.booleans(),
)


@settings(max_examples=40)
@given(st.lists(files, min_size=1, max_size=40), st.booleans())
def test_whatever_a_spout_writes_the_status_is_bounded(found: list[Any], directory: bool) -> None:
    shown = to_status(a_marker(*found, is_directory=directory))

    assert len(json.dumps(shown, ensure_ascii=False).encode()) < 8 * KIB
    assert len(shown["summary"]) <= 32


def test_the_fullest_directory_is_bounded() -> None:
    worst = [a_marker_file(b'"' * 128, path=f"offset/{number:02}/" + "d" * 5000) for number in range(16)]

    shown = to_status(a_marker(*worst, is_directory=True, files_total=10**9))

    assert len(json.dumps(shown, ensure_ascii=False).encode()) < 8 * KIB


@given(contents)
def test_a_value_in_the_status_is_the_content_of_the_file(content: bytes) -> None:
    shown = to_status(a_marker(a_marker_file(content)))

    if "value" in shown:
        assert shown["value"].encode() == content
    else:
        assert shown["sha256"] == digest(content)


@given(st.text(max_size=100))
def test_the_summary_of_any_text_is_one_line_without_control_characters(text: str) -> None:
    summary = to_status(a_marker(a_marker_file(text.encode(errors="replace"))))["summary"]

    assert len(summary.splitlines()) <= 1
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in summary)


def test_of_more_files_than_are_counted_only_that_is_told() -> None:
    shown = to_status(a_marker(is_directory=True, files_total=None))

    assert shown["summary"] == "more than 10000 files"
    assert [file["path"] for file in shown["files"]] == ["offset"], "the first are listed all the same"
    assert MOST_COUNTED == 10_000
    assert "filesTotal" not in shown, "it is not known"


def test_a_commit_without_the_marker_says_so_and_what_comes_of_it() -> None:
    shown = to_status(a_marker(files=(), files_total=0))

    assert shown.pop("message") == (
        "the newest commit of the marker branch holds no file or folder 'offset'. A spout that runs goes on, and "
        "writes it anew with its next position; but at its next start the worker fails before it runs the spout's "
        "code. Put a position there, with pachctl put file to the branch 'marker' of the spout's repo"
    )
    assert shown == {
        "path": "offset",
        "commit": "markercommit1",
        "updatedAt": "2026-01-31T12:00:00Z",
        "summary": "none",
    }
    assert not is_unknown(shown), "it is known that there is none"


def test_a_marker_that_cannot_be_read_says_why_and_shows_no_value() -> None:
    shown = unknown("offset", "markercommit1", "object storage does not answer", shown=to_status(a_marker()))

    assert shown == {
        "path": "offset",
        "commit": "markercommit1",
        "summary": "unknown",
        "message": "object storage does not answer",
    }
    assert is_unknown(shown)


@pytest.mark.parametrize(
    ("before", "after", "same", "reason"),
    [
        ("read tcp 10.0.0.1:4711: i/o timeout", "read tcp 10.0.0.1:4712: i/o timeout", True, "another port"),
        ("AccessDenied (request 9C3A2F)", "AccessDenied (request 7B1D44)", True, "another request"),
        ("i/o timeout", "AccessDenied", False, "another reason"),
    ],
)
def test_the_same_reason_with_other_numbers_is_no_news(before: str, after: str, same: bool, reason: str) -> None:
    shown = unknown("offset", "c1", before, shown={})

    again = unknown("offset", "c1", after, shown=shown)

    assert (again == shown) is same, reason
    assert unknown("offset", "c2", after, shown=shown)["commit"] == "c2", "what is about another commit is news"


def test_the_reason_is_bounded() -> None:
    assert len(unknown("offset", "c1", "r" * 100_000, shown={})["message"]) <= 1024


@pytest.mark.parametrize("content", [b"unknown", b"none"])
def test_a_marker_that_holds_such_a_word_is_known(content: bytes) -> None:
    shown = to_status(a_marker(a_marker_file(content)))

    assert shown["value"] == content.decode()
    assert not is_unknown(shown)
