"""Reads one tar archive from a source, entry by entry, in memory that does not grow with it."""

import dataclasses
from collections.abc import Iterator

from spout_operator.bridge import headers
from spout_operator.bridge.errors import BadArchive
from spout_operator.bridge.source import PipeSource

#: Bytes of a header that describes the next entry, and of a map of holes. Nobody writes a longer name or map.
_LONGEST_EXTENSION = 256 * 1024
_ZEROS = bytes(64 * 1024)
_ZERO_BLOCK = bytes(headers.BLOCK)
#: Bytes of a file: what ext4 can hold.
_LARGEST_FILE = 16 * 1024**4
#: Bytes of holes in an archive. They cost the writer nothing, and the store fills them with zeros.
_MOST_HOLES = 16 * 1024**3


class _Holes:
    """How much of the holes of one archive may still be filled."""

    def __init__(self) -> None:
        self._left = _MOST_HOLES

    def fill(self, size: int, path: str) -> Iterator[bytes]:
        """Zeros.

        Raises:
            BadHeader: these are too many.
        """
        self._left -= size
        if self._left < 0:
            raise headers.BadHeader(
                f"{path!r:.200} brings the holes of the archive to more than {_MOST_HOLES} bytes; write it in several "
                "archives, or without the holes (tar without --sparse)"
            )
        for start in range(0, size, len(_ZEROS)):
            yield _ZEROS[: size - start]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file or a folder. `path` is relative and plain. `content` of a file has to be read before the next entry."""

    path: str
    is_folder: bool
    content: Iterator[bytes | memoryview]


def entries(source: PipeSource) -> Iterator[Entry]:
    """All entries of the archive that begins at the source, up to its two blocks of zeros.

    Raises:
        BadArchive: the archive is cut off, is not a tar archive, or holds what a commit cannot.
    """
    source.offset = 0
    of_all: dict[str, bytes] = {}
    of_next: dict[str, bytes] = {}
    holes = _Holes()
    while True:
        at = source.offset
        block = bytes(source.read_exactly(headers.BLOCK, "the archive, before the two blocks of zeros that end it"))
        if block == _ZERO_BLOCK:
            what = "the archive, after one of the two blocks of zeros that end it"
            if source.read_exactly(headers.BLOCK, what) != _ZERO_BLOCK:
                raise BadArchive("found one block of zeros in the middle of the archive", offset=at)
            if of_next:
                raise BadArchive("found a header that describes the next entry, and no next entry", offset=at)
            return
        try:
            header = headers.parse(block)
            if header.type in {headers.PAX, headers.PAX_GLOBAL}:
                records = headers.pax_records(_extension(source, header, at))
                (of_all if header.type == headers.PAX_GLOBAL else of_next).update(records)
            elif header.type in {headers.LONG_NAME, headers.LONG_LINK}:
                text = _extension(source, header, at).partition(b"\0")[0]
                if header.type == headers.LONG_NAME:
                    of_next.setdefault("path", text)
            else:
                yield from _entry(source, header, {**of_all, **of_next} if of_all or of_next else of_next, holes, at)
                of_next = {}
        except headers.BadHeader as error:
            raise BadArchive(f"{error}; write a tar archive", offset=at) from None


def plain_path(name: bytes, at: int) -> str:
    """The path of an entry without `./` and doubled slashes; empty for the root.

    Raises:
        BadArchive: the path is absolute, has a `..`, or is not one that a file system can hold.
    """
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise BadArchive(f"{name!r:.200}: the name is not UTF-8; encode it", offset=at) from None
    if text.startswith("/"):
        raise BadArchive(f"{text!r:.200}: the path is absolute; write it relative to /pfs/out", offset=at)
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise BadArchive(f"{text!r:.200}: the path has '..'; write it relative to /pfs/out, without '..'", offset=at)
    if "\0" in text or any(len(part.encode()) > 255 for part in parts):  # noqa: PLR2004 - NAME_MAX
        raise BadArchive(f"{text!r:.200}: the path has a part over 255 bytes; shorten it", offset=at)
    return "/".join(parts)


def _extension(source: PipeSource, header: headers.Header, at: int) -> bytes:
    if header.size > _LONGEST_EXTENSION:
        raise BadArchive(f"found a header of {header.size} bytes; at most {_LONGEST_EXTENSION} are read", offset=at)
    text = bytes(source.read_exactly(header.size, "a header"))
    source.read_exactly(headers.padding(header.size), "a header")
    return text


def _entry(
    source: PipeSource, header: headers.Header, pax: dict[str, bytes], holes: _Holes, at: int
) -> Iterator[Entry]:
    name = pax.get("GNU.sparse.name") or pax.get("path") or header.name
    path = plain_path(name, at)
    if header.type != headers.FOLDER and header.type not in headers.FILES:
        raise BadArchive(
            f"{path!r:.200} is {headers.describe(header.type)}, and a commit holds files and folders alone; "
            "write the content of the file instead",
            offset=at,
        )
    if header.type == headers.FOLDER:
        if path:
            yield Entry(path=path, is_folder=True, content=iter(()))
        return
    if not path or name.endswith(b"/"):
        raise BadArchive(f"found a file named {name!r:.200}; give it a name", offset=at)
    size = headers.decimal(pax["size"], "the size") if "size" in pax else header.size
    if size > _LARGEST_FILE:
        raise BadArchive(
            f"{path!r:.200}: its header says {size} bytes, and a file has at most {_LARGEST_FILE}; split it", offset=at
        )
    content = _checked(_content(source, header, pax, size, holes=holes, path=path), at)
    yield Entry(path=path, is_folder=False, content=content)
    for _ in content:  # what the reader of the entry left
        pass
    source.read_exactly(headers.padding(size), "the archive")


def _checked(content: Iterator[bytes | memoryview], at: int) -> Iterator[bytes | memoryview]:
    try:
        yield from content
    except headers.BadHeader as error:
        raise BadArchive(f"{error}; write a tar archive", offset=at) from None


def _content(
    source: PipeSource, header: headers.Header, pax: dict[str, bytes], size: int, *, holes: _Holes, path: str
) -> Iterator[bytes | memoryview]:
    what = f"the content of {path!r:.200}"
    if header.type == headers.SPARSE:
        numbers, total = _old_map(source, header), headers.real_size(header.block)
    elif "GNU.sparse.major" in pax:
        before = source.offset
        numbers = _map_in_content(source, size, what)
        size -= source.offset - before
        total = headers.decimal(pax.get("GNU.sparse.realsize", b""), "the real size")
    elif "GNU.sparse.map" in pax:
        numbers = [headers.decimal(number, "in a sparse map") for number in pax["GNU.sparse.map"].split(b",")]
        total = headers.decimal(pax.get("GNU.sparse.size", b""), "the real size")
    else:
        yield from source.read_through(size, what)
        return
    position = 0
    for start, length in zip(numbers[::2], numbers[1::2], strict=len(numbers) % 2 == 0):
        if start < position or start + length > total or length > size:
            raise headers.BadHeader(f"found a sparse map of {path!r:.200} that does not fit its content")
        yield from holes.fill(start - position, path)
        yield from source.read_through(length, what)
        position, size = start + length, size - length
    if size or len(numbers) % 2:
        raise headers.BadHeader(f"found a sparse map of {path!r:.200} that does not fit its content")
    yield from holes.fill(total - position, path)


def _old_map(source: PipeSource, header: headers.Header) -> list[int]:
    numbers = headers.sparse_numbers(header.block, 386, 4)
    follows = header.block[482]
    while follows:
        block = bytes(source.read_exactly(headers.BLOCK, "a sparse map"))
        numbers += headers.sparse_numbers(block, 0, 21)
        follows = block[504]
        _bound(numbers)
    return numbers


def _map_in_content(source: PipeSource, size: int, what: str) -> list[int]:
    """PAX 1.0: a count, then as many offsets and lengths, one a line, padded to a block."""
    text = b""
    numbers: list[int] = []
    wanted = 1
    while len(numbers) < wanted:
        if (len(text) + headers.BLOCK) > size:
            raise headers.BadHeader(f"found no end of the sparse map of {what}")
        text += bytes(source.read_exactly(headers.BLOCK, what))
        lines = text.split(b"\n")[:-1]
        _bound(lines)
        if lines:
            wanted = 1 + 2 * headers.decimal(lines[0], "in a sparse map")
            numbers = [headers.decimal(line, "in a sparse map") for line in lines[:wanted]]
    return numbers[1:]


def _bound(found: list[int] | list[bytes]) -> None:
    if len(found) > _LONGEST_EXTENSION // 12:
        raise headers.BadHeader(f"found a sparse map of more than {_LONGEST_EXTENSION // 12} numbers")
