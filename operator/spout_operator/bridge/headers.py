"""Headers of tar archives: USTAR, GNU and PAX, as GNU tar 1.35 and POSIX.1-2017 (pax) describe them. Pure."""

import dataclasses
import re

BLOCK = 512
#: As USTAR, GNU and PAX archives have it. No other spelling, because the checksum does not cover its own field.
_CHECKSUM = re.compile(rb"([0-7]{6})(?:\0 | \0)|([0-7]{7})[\0 ]")

#: Type flags of what is read.
FILES = frozenset(b"\00007S")
FOLDER = ord("5")
LONG_NAME, LONG_LINK = ord("L"), ord("K")
PAX, PAX_GLOBAL = ord("x"), ord("g")
SPARSE = ord("S")
_NAMES = {
    ord("1"): "a hard link",
    ord("2"): "a symbolic link",
    ord("3"): "a character device",
    ord("4"): "a block device",
    ord("6"): "a named pipe",
}


class BadHeader(ValueError):  # noqa: N818 - named as what was read
    """A header that cannot be read; the message says what was found."""


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """One header block. `size` is in bytes, of what follows in the archive; `name` is as written."""

    name: bytes
    size: int
    type: int
    block: bytes


def describe(kind: int) -> str:
    """A type flag in words."""
    return _NAMES.get(kind, f"an entry of type {chr(kind)!r}")


def parse(block: bytes) -> Header:
    """Read a block that is not all zeros.

    Raises:
        BadHeader: the checksum or a number is wrong.
    """
    written = _checksum(block[148:156])
    # The checksum counts its own field as eight spaces. Old tars summed signed bytes.
    unsigned = sum(block) - sum(block[148:156]) + 8 * 32
    if written != unsigned and written != unsigned - 256 * sum(byte > 127 for byte in block[:148] + block[156:]):  # noqa: PLR2004 - a byte's sign
        raise BadHeader(f"found no tar header: its checksum is {unsigned}, and {written} is written in it")
    size = _number(block[124:136], "size")
    if size < 0:
        raise BadHeader(f"found a size of {size} bytes in a tar header")
    name = block[:100].partition(b"\0")[0]
    kind = block[156]
    if block[257:263] == b"ustar\0" and block[345]:
        name = block[345:500].partition(b"\0")[0] + b"/" + name
    if kind == 0 and name.endswith(b"/"):
        kind = FOLDER
    return Header(name, 0 if kind == FOLDER else size, kind, block)


def padding(size: int) -> int:
    """Zeros that follow `size` bytes, up to the next block."""
    return -size % BLOCK


def pax_records(text: bytes) -> dict[str, bytes]:
    """The records of a PAX header. Of GNU.sparse.offset and .numbytes, which repeat, the values joined by commas.

    Raises:
        BadHeader: a record is not as POSIX has it.
    """
    records: dict[str, bytes] = {}
    pairs: list[bytes] = []
    while text and text.strip(b"\0"):
        length, space, _ = text[:24].partition(b" ")
        if not space or not length.isdigit() or not len(length) + 1 < int(length) <= len(text):
            raise BadHeader(f"found a PAX record that begins with {text[:24]!r}")
        record, text = text[: int(length)], text[int(length) :]
        key, equals, value = record[len(length) + 1 :].partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise BadHeader(f"found a PAX record without a value: {record[:40]!r}")
        name = key.decode("utf-8", "replace")
        if name in {"GNU.sparse.offset", "GNU.sparse.numbytes"}:
            pairs.append(value[:-1])
        records[name] = value[:-1]
    if pairs:
        records.setdefault("GNU.sparse.map", b",".join(pairs))
    return records


def decimal(value: bytes, what: str) -> int:
    """A number of a PAX record.

    Raises:
        BadHeader: it is none.
    """
    if not value.isdigit() or len(value) > 20:  # noqa: PLR2004 - digits of 2**64
        raise BadHeader(f"found {what} {value[:40]!r}, which is not a number")
    return int(value)


def sparse_numbers(block: bytes, start: int, pairs: int) -> list[int]:
    """The numbers of an old GNU sparse map: `pairs` times an offset and a length; it ends with an empty field."""
    numbers = []
    for at in range(start, start + pairs * 24, 12):
        if not block[at]:
            break
        numbers.append(_number(block[at : at + 12], "sparse map"))
    return numbers


def real_size(block: bytes) -> int:
    """The size that an old GNU sparse file has once its holes are filled."""
    return _number(block[483:495], "real size")


def _checksum(field: bytes) -> int:
    found = _CHECKSUM.fullmatch(field)
    if found is None:
        raise BadHeader(f"found no tar header: checksum is {field!r}, which is not an octal number")
    return int(found[1] or found[2], 8)


def _number(field: bytes, what: str) -> int:
    if field[0] & 0x80:  # GNU: a binary number, in two's complement
        number = int.from_bytes(field, "big") & ~(0x80 << 8 * (len(field) - 1))
        return number if field[0] != 0xFF else int.from_bytes(field, "big", signed=True)  # noqa: PLR2004 - a byte
    digits = field.partition(b"\0")[0].strip()
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        raise BadHeader(f"found no tar header: {what} is {field!r}, which is not an octal number") from None
