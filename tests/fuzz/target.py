"""What is fuzzed: any bytes as an archive. Needs no fuzzer; `make fuzz` runs it with atheris."""

from collections.abc import Iterator

from spout_operator.bridge.archive import entries
from spout_operator.bridge.errors import BadArchive
from spout_operator.bridge.headers import BLOCK
from spout_operator.bridge.pipe import CHUNK
from spout_operator.bridge.source import PipeSource

#: What was read: the entries with their sizes and the bytes that are no zeros, or why there is nothing.
Read = list[tuple[str, bool, int, bytes]] | str
#: Bytes of content that a run looks at. Holes can expand to much more.
_MOST = 1024 * 1024


class BytesSource(PipeSource):
    """A source of bytes that are there, which arrive `step` at once."""

    def __init__(self, content: bytes, step: int) -> None:
        self._buffer = bytearray(CHUNK)
        self._view = memoryview(self._buffer)
        self._start = self._end = self.offset = 0
        self._pieces = iter([content[at : at + step] for at in range(0, len(content), step)])

    def _fill(self) -> bool:
        if self._start == self._end:
            self._start = self._end = 0
        piece = next(self._pieces, b"")
        self._view[self._end : self._end + len(piece)] = piece
        self._end += len(piece)
        return bool(piece)


def check(content: bytes) -> None:
    """Read the bytes as an archive, twice: only an archive or a reason may come of it, and twice the same.

    Raises:
        AssertionError: an entry or a reason is not as the bridge promises.
    """
    with_checksums = repaired(content)
    for archive in {content, with_checksums}:
        whole, split = read(archive, CHUNK), read(archive, 97)
        assert whole == split, f"{whole!r:.500} at once, and {split!r:.500} in pieces"


def read(content: bytes, step: int) -> Read:
    source = BytesSource(content, step)
    found: list[tuple[str, bool, int, bytes]] = []
    try:
        for entry in entries(source):
            assert entry.path == entry.path.strip("/")
            assert not {"", ".", ".."} & set(entry.path.split("/")), entry.path
            found.append((entry.path, entry.is_folder, *_measured(entry.content)))
    except BadArchive as error:
        reason, offset = str(error), error.offset
    else:
        reason, offset = "", source.offset
    assert 0 <= offset <= len(content), reason
    assert "\n" not in reason, reason
    return reason or found


def repaired(content: bytes) -> bytes:
    """With the right checksum in each block that looks like a header; a fuzzer does not find one by chance."""
    blocks = bytearray(content)
    for at in range(0, len(blocks) - BLOCK + 1, BLOCK):
        if blocks[at + 257 : at + 262] == b"ustar":
            blocks[at + 148 : at + 156] = b" " * 8
            blocks[at + 148 : at + 156] = b"%06o\0 " % sum(blocks[at : at + BLOCK])
    return bytes(blocks)


def _measured(content: Iterator[bytes | memoryview]) -> tuple[int, bytes]:
    size, seen = 0, b""
    for chunk in content:
        size += len(chunk)
        seen += bytes(chunk).replace(b"\0", b"")
        if size > _MOST:
            break
    return min(size, _MOST), seen[:1000]
