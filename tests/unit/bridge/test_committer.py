"""What becomes of what a spout writes into the pipe."""

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from spout_operator.bridge.committer import Dropped
from spout_operator.bridge.errors import PipeLost
from spout_operator.bridge.store import Committed
from tests.unit.bridge.pipes import ForgetfulStore, archive, bridge

A, B = archive({"a": b"1"}), archive({"b": b"2"})
COMMIT_1 = Committed(commit="0001", files=1, size=1, has_marker=False)
COMMIT_2 = Committed(commit="0002", files=1, size=1, has_marker=False)


@pytest.mark.parametrize(
    "writes",
    [
        pytest.param([[A], [B]], id="one archive in each open"),
        pytest.param([[A + B]], id="two archives in one open"),
        pytest.param([[A + bytes(20480) + B + bytes(512)]], id="zero padding between archives and after them"),
        pytest.param([[], [A], [], [B], []], id="opened and closed without a byte in between"),
        pytest.param([[bytes(1024)], [A], [B]], id="zeros alone are no archive"),
        pytest.param([[bytes([byte]) for byte in A[:2048]], [B]], id="byte by byte"),
        pytest.param([[A[:700], A[700:] + B[:100], B[100:]]], id="cut anywhere by the writes"),
    ],
)
def test_each_complete_archive_is_one_commit(tmp_path: Path, writes: list[list[bytes]]) -> None:
    with bridge(tmp_path) as running:
        for pieces in writes:
            running.write(*pieces)
        assert running.wait(2) == [COMMIT_1, COMMIT_2]
        assert (running.files("0001"), running.files("0002")) == ({"a": b"1"}, {"b": b"2"})


def test_a_writer_that_holds_the_pipe_open_gets_its_commits_at_once(tmp_path: Path) -> None:
    with bridge(tmp_path) as running, running.pipe.open("wb", buffering=0) as pipe:
        pipe.write(A)
        assert running.wait(1) == [COMMIT_1]
        pipe.write(B)
        assert running.wait(2) == [COMMIT_1, COMMIT_2]


@pytest.mark.parametrize("cut", [1, 511, 512, 513, 1023, 1024, 1536])
def test_a_writer_that_dies_in_the_middle_leaves_nothing_and_is_told_in_one_line(tmp_path: Path, cut: int) -> None:
    with bridge(tmp_path) as running:
        running.write(A[:cut])
        [dropped] = running.wait(1)
        assert isinstance(dropped, Dropped)
        assert "the writer closed the pipe inside" in dropped.reason
        assert f"(byte {cut} of the archive)" in dropped.reason
        assert "\n" not in dropped.reason
        running.write(B)
        assert running.wait(2)[1] == COMMIT_1
        assert running.files("0001") == {"b": b"2"}


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("l", tarfile.SYMTYPE, "'l' is a symbolic link, and a commit holds files and folders alone"),
        ("l", tarfile.LNKTYPE, "'l' is a hard link"),
        ("l", tarfile.CHRTYPE, "'l' is a character device"),
        ("l", tarfile.BLKTYPE, "'l' is a block device"),
        ("l", tarfile.FIFOTYPE, "'l' is a named pipe"),
        ("../x", tarfile.REGTYPE, "'../x': the path has '..'; write it relative to /pfs/out, without '..'"),
        ("a/../../x", tarfile.REGTYPE, "the path has '..'"),
        ("/x", tarfile.REGTYPE, "'/x': the path is absolute; write it relative to /pfs/out"),
        ("n" * 256, tarfile.REGTYPE, "the path has a part over 255 bytes"),
    ],
)
def test_an_archive_with_something_else_than_files_is_dropped_whole(
    tmp_path: Path, name: str, kind: bytes, says: str
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("good"))
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "good"
        tar.addfile(entry)
    with bridge(tmp_path) as running:
        running.write(buffer.getvalue())
        running.wait(1)
        assert says in running.reasons()[0]
        running.write(A)
        assert running.wait(2)[1] == COMMIT_1, "the next writer goes through"


def test_the_writer_of_a_dropped_archive_gets_epipe(tmp_path: Path) -> None:
    with bridge(tmp_path) as running, running.pipe.open("wb", buffering=0) as pipe:
        pipe.write(b"x" * 512)
        running.wait(1)
        with pytest.raises(BrokenPipeError):
            pipe.write(A)
        running.write(A)
        assert running.wait(2)[1] == COMMIT_1


@pytest.mark.parametrize(
    ("files", "data", "marker"),
    [
        ({"a": b"1", "off": b"7"}, {"a": b"1"}, {"off": b"7"}),
        ({"off/0": b"1", "off/1": b"2", "a": b"1"}, {"a": b"1"}, {"off/0": b"1", "off/1": b"2"}),
        ({"./off": b"7", "a": b"1"}, {"a": b"1"}, {"off": b"7"}),
        ({"off.csv": b"1", "offset": b"2"}, {"off.csv": b"1", "offset": b"2"}, {}),
        ({"d/off": b"1"}, {"d/off": b"1"}, {}),
    ],
    ids=["file", "folder", "written with ./", "by whole component", "at the root alone"],
)
def test_what_belongs_to_the_marker(
    tmp_path: Path, files: dict[str, bytes], data: dict[str, bytes], marker: dict[str, bytes]
) -> None:
    with bridge(tmp_path, marker="off") as running:
        running.write(archive(files))
        running.wait(1)
        assert running.files("0001") == data
        folder = running.store.marker_folder
        assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("off*") if path.is_file()} | {
            f"off/{path.name}": path.read_bytes() for path in folder.glob("off/*")
        } == marker


def test_an_archive_with_neither_data_nor_marker_makes_no_commit(tmp_path: Path) -> None:
    with bridge(tmp_path) as running:
        running.write(bytes(512) + archive({"./": b""}) + A)
        assert running.wait(2)[0] == Committed(commit=None, files=0, size=0, has_marker=False)
        assert running.events[1] == COMMIT_1


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_the_formats_of_python(tmp_path: Path, form: int) -> None:
    files = {"d/" + "n" * 90: b"x" * 513, "empty": b"", "folder/": b"", "zeros": bytes(2048)}
    if form != tarfile.USTAR_FORMAT:
        files |= {"/".join(["long" * 20] * 10): b"deep", "ümlaut": b"u"}
    with bridge(tmp_path) as running:
        running.write(archive(files, form=form))
        running.wait(1)
        assert running.files("0001") == {path: content for path, content in files.items() if path[-1] != "/"}
        assert (running.store.root / "commits/0001/files/folder").is_dir()


@pytest.mark.parametrize(
    "options",
    [
        ["--format=v7"],
        ["--format=ustar"],
        ["--format=gnu", "--sparse"],
        ["--format=pax", "--sparse", "--sparse-version=0.0"],
        ["--format=pax", "--sparse", "--sparse-version=0.1"],
        ["--format=pax", "--sparse", "--sparse-version=1.0"],
    ],
    ids=" ".join,
)
def test_the_formats_of_gnu_tar_with_holes_in_a_file(tmp_path: Path, options: list[str]) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "plain").write_bytes(b"x" * 1000)
    with (source / "holes").open("wb") as file:
        for number in range(40):
            file.seek(number * 65536)
            file.write(b"data %d" % number)
        file.truncate(41 * 65536 + 7)
    with bridge(tmp_path / "bridge") as running:
        subprocess.run(["tar", *options, "-C", source, "-cf", running.pipe, "."], check=True)  # noqa: S603, S607 - tar is the subject
        running.wait(1)
        assert running.reasons() == []
        assert running.files("0001") == {path.name: path.read_bytes() for path in source.iterdir()}


def test_a_pipe_that_was_replaced_by_a_file_ends_the_loop_with_what_was_found(tmp_path: Path) -> None:
    with bridge(tmp_path) as running:
        running.pipe.unlink()
        running.pipe.write_bytes(b"x")
        running.wait(1)
        assert isinstance(running.failure, PipeLost)
        assert "found -rw" in str(running.failure)


def test_a_writer_that_dies_in_the_middle_takes_no_byte_of_the_next_one_with_it(tmp_path: Path) -> None:
    """Both come and go before the bridge reads, so that in one pipe their bytes would run together."""
    two = archive({"dead": b"x" * 512, "b": b"x" * 512})
    with bridge(tmp_path) as running:
        with running.busy:
            running.write(A)
            running.wait(1)
            # The first ends between two of its entries: what follows would be a good archive, of both.
            running.write(two[:1024])
            running.write(B)
            running.write(two[:1500])
            running.write(A)
        events = running.wait(5)
        assert [type(event) for event in events] == [Committed, Dropped, Committed, Dropped, Committed]
        assert running.files("0002") == {"b": b"2"}


def test_a_writer_that_holds_the_pipe_open_does_not_keep_others_from_it(tmp_path: Path) -> None:
    with bridge(tmp_path) as running, running.pipe.open("wb", buffering=0) as pipe:
        running.write(A)
        running.wait(1)
        pipe.write(B)
        assert running.wait(2) == [COMMIT_1, COMMIT_2]
        assert running.files("0002") == {"b": b"2"}


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_writers_that_come_while_the_bridge_is_busy_do_not_use_up_the_files_of_the_process(tmp_path: Path) -> None:
    with bridge(tmp_path, overwrite=True) as running:
        with running.busy:
            running.write(A)
            running.wait(1)
            before = open_files()
            for _ in range(300):
                os.close(os.open(running.pipe, os.O_WRONLY))
            assert open_files() - before < 100
        running.write(B)
        assert running.wait(2) == [COMMIT_1, COMMIT_2]


def test_an_archive_that_begins_with_zeros_is_no_padding(tmp_path: Path) -> None:
    """A header without a name of its own, because the PAX header before it has the name."""
    nameless = bytearray(A)
    nameless[0:1] = b"\0"
    nameless[148:156] = b"%06o\0 " % (sum(nameless[:148]) + 8 * 32 + sum(nameless[156:512]))
    with bridge(tmp_path) as running:
        running.write(bytes(512) + nameless)
        running.wait(1)
        assert "found a file named b''; give it a name" in running.reasons()[0]


def test_a_pipe_whose_folder_is_gone_ends_the_loop_with_what_to_do(tmp_path: Path) -> None:
    with bridge(tmp_path) as running:
        shutil.rmtree(tmp_path / ".out-pipes")
        os.close(os.open(running.pipe, os.O_WRONLY))
        running.wait(1)
        assert isinstance(running.failure, PipeLost)
        assert "mend that, or choose another folder" in str(running.failure)


def test_a_thousand_opens_one_after_the_other_lose_nothing(tmp_path: Path) -> None:
    with bridge(tmp_path, overwrite=True) as running:
        for _ in range(500):
            os.close(os.open(running.pipe, os.O_WRONLY))
            running.write(A)
        running.wait(500)
        assert running.reasons() == []


def header(name: str, **fields: bytes) -> bytes:
    """One header block, with some of its fields as given: `size`, `type`, or `sparse`, the fields of an old map."""
    block = bytearray(archive({name: b""}, form=tarfile.GNU_FORMAT)[:512])
    for field, start in (("size", 124), ("type", 156), ("sparse", 386)):
        block[start : start + len(fields.get(field, b""))] = fields.get(field, b"")
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * 32 + sum(block[156:512]))
    return bytes(block)


def binary(number: int, size: int = 12) -> bytes:
    """A number as GNU tar writes one that octal digits cannot hold."""
    return (number | 0x80 << 8 * (size - 1)).to_bytes(size, "big")


EXBIBYTE, TEBIBYTE = 1024**6, 1024**4


def sparse(name: str, real_size: int) -> bytes:
    """A file of holes alone, as an archive's entry of 512 bytes."""
    return header(name, type=b"S", sparse=bytes(12 * 8 + 1) + binary(real_size))


@pytest.mark.parametrize(
    ("written", "says"),
    [
        pytest.param(
            header("f", size=binary(8 * EXBIBYTE)) + b"x" * 100_000,
            f"'f': its header says {8 * EXBIBYTE} bytes, and a file has at most {16 * TEBIBYTE}; split it",
            id="a header that claims 8 EiB",
        ),
        pytest.param(
            sparse("f", 4 * TEBIBYTE),
            "'f' brings the holes of the archive to more than 17179869184 bytes; write it in several archives",
            id="holes of 4 TiB",
        ),
        pytest.param(
            sparse("f", 10 * 1024**3) + sparse("g", 10 * 1024**3),
            "'g' brings the holes of the archive to more than 17179869184 bytes",
            id="holes that are too many only together",
        ),
    ],
)
def test_what_claims_to_be_larger_than_can_be_is_refused_at_once(tmp_path: Path, written: bytes, says: str) -> None:
    store = ForgetfulStore()
    with bridge(tmp_path, store=store) as running:
        running.write(written + bytes(1024))
        running.wait(1)
        assert says in running.reasons()[0]
        assert store.bytes <= 16 * 1024**3, "no more than the bound went to the store"
        running.write(A)
        assert isinstance(running.wait(2)[1], Committed)
