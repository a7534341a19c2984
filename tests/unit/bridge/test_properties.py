"""Any archive in, the same files out; anything else in, no commit and a reason that names a byte."""

import re
import tarfile
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spout_operator.bridge.committer import Dropped
from tests.fuzz.target import check
from tests.unit.bridge.pipes import archive, bridge

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=60).filter(
    lambda name: name not in {".", ".."}
)
#: All below one folder each, so that no file is a folder of another one.
FILES = st.dictionaries(
    st.tuples(NAMES, NAMES).map(lambda parts: f"f{parts[0]}/g{parts[1]}"),
    st.binary(max_size=2000),
    min_size=1,
    max_size=5,
)
FORMS = st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
ARCHIVE = archive({"a": b"x" * 600, "d/" + "n" * 120: b"y"})


@FEW
@given(files=FILES, form=FORMS)
def test_any_valid_archive_gives_the_same_files(files: dict[str, bytes], form: int) -> None:
    with tempfile.TemporaryDirectory() as folder, bridge(Path(folder)) as running:
        running.write(archive(files, form=form))
        running.wait(1)
        assert running.reasons() == []
        assert running.files("0001") == files


def commits_nothing(written: bytes) -> None:
    """Written and followed by a good archive: that one alone is committed, and each reason names a byte."""
    with tempfile.TemporaryDirectory() as folder, bridge(Path(folder)) as running:
        running.write(written)
        if any(written):
            running.wait(1)  # until then the next writer gets EPIPE, and would have to try again
        running.write(archive({"good": b"1"}))
        running.wait(2 if any(written) else 1)
        assert [event for event in running.events if not isinstance(event, Dropped)], running.events
        assert running.files("0001") == {"good": b"1"}
        assert all(re.search(r"\(byte \d+ of the archive\)$", reason) for reason in running.reasons())


@FEW
@given(cut=st.integers(1, ARCHIVE.rindex(b"y") + 512 + 511))
def test_any_truncation_commits_nothing(cut: int) -> None:
    commits_nothing(ARCHIVE[:cut])


@FEW
@given(bit=st.integers(0, 512 * 8 - 1))
@example(bit=148 * 8 + 4).via("the first digit of the checksum, 0, becomes a space")
@example(bit=155 * 8).via("the space that ends the checksum becomes another character")
@example(bit=155 * 8 + 5).via("the space that ends the checksum becomes a zero byte")
def test_any_bit_flip_in_a_header_commits_nothing(bit: int) -> None:
    flipped = bytearray(ARCHIVE)
    flipped[bit // 8] ^= 1 << bit % 8
    commits_nothing(bytes(flipped))


@FEW
@given(noise=st.binary(min_size=1, max_size=3000))
def test_random_bytes_commit_nothing(noise: bytes) -> None:
    commits_nothing(noise)


@FEW
@given(edits=st.lists(st.tuples(st.integers(0, len(ARCHIVE) - 1), st.binary(min_size=1, max_size=12)), max_size=4))
def test_any_edit_of_an_archive_is_read_in_the_same_way_however_its_bytes_arrive(
    edits: list[tuple[int, bytes]],
) -> None:
    """What `make fuzz` looks for, with headers whose checksum is right in spite of the edit, too."""
    edited = bytearray(ARCHIVE)
    for at, new in edits:
        edited[at : at + len(new)] = new
    check(bytes(edited))
