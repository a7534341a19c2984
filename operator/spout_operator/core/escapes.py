"""The ways in which a text can stand in a message: as it is, and as programs print it with escapes."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

#: Texts are quoted inside of texts: a value in JSON, in an error, in another error.
DEEPEST = 3

# What Go prints (strconv.Quote, QuoteToASCII, encoding/json), protobuf's text format (\303\244), and YAML between
# double quotes. An escaped byte is one of UTF-8, \u a unit of UTF-16. What is no escape stays as it is.
_ESCAPES = re.compile(
    r"(?P<bytes>(?:\\(?:x[0-9a-fA-F]{2}|[0-3][0-7]{2}))+)"
    r"|(?P<units>(?:\\u[0-9a-fA-F]{4})+)"
    r"|\\U(?P<code>000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})"
    r"|\\(?P<letter>[abefnrtv0LNP_\\\"'`/ ])"
)
_LETTERS = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "0": "\0",
    "L": "\u2028",
    "N": "\x85",
    "P": "\u2029",
    "_": "\xa0",
}
_WHITE_SPACE = re.compile(r"\s\s+|[^\S ]")

#: What stands in place of a match: characters, and where in the match each begins.
Characters = Iterable[tuple[str, int]]


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """One way to read a text. `places` says where in the text each character begins, and at last where it ends."""

    text: str
    places: Sequence[int]


def views(text: str) -> Iterator[View]:
    """A text as it is, then without its escapes, then without those that came out, each with white space folded."""
    view = View(text, range(len(text) + 1))
    for _ in range(DEEPEST + 1):
        yield _replaced(view, _WHITE_SPACE, lambda _: [(" ", 0)])
        if _ESCAPES.search(view.text) is None:
            return
        view = _replaced(view, _ESCAPES, _unescaped)


def _replaced(view: View, pattern: re.Pattern[str], characters: Callable[[re.Match[str]], Characters]) -> View:
    text: list[str] = []
    places: list[int] = []
    end = 0
    for match in pattern.finditer(view.text):
        text.append(view.text[end : match.start()])
        places.extend(view.places[end : match.start()])
        for character, offset in characters(match):
            text.append(character)
            places.append(view.places[match.start() + offset])
        end = match.end()
    if end == 0:
        return view
    text.append(view.text[end:])
    places.extend(view.places[end:])
    return View("".join(text), places)


def _unescaped(match: re.Match[str]) -> Characters:
    found = match[0]
    if match["bytes"]:
        data = bytes(int(code[1:], 16) if code[0] == "x" else int(code, 8) for code in found.split("\\")[1:])
        # A byte that is none of UTF-8 becomes one character, so that those after it keep their places.
        for offset, character in _placed(data.decode("utf-8", "surrogateescape"), _bytes_of):
            yield character, offset * len(r"\xff")
    elif match["units"]:
        data = bytes.fromhex(found.replace(r"\u", ""))
        for offset, character in _placed(data.decode("utf-16-be", "surrogatepass"), _units_of):
            yield character, offset * len(r"\uffff")
    elif match["code"]:
        yield chr(int(match["code"], 16)), 0
    else:
        yield _LETTERS.get(match["letter"], match["letter"]), 0


def _placed(text: str, size: Callable[[str], int]) -> Iterator[tuple[int, str]]:
    offset = 0
    for character in text:
        yield offset, character
        offset += size(character)


def _bytes_of(character: str) -> int:
    return len(character.encode("utf-8", "surrogateescape"))


def _units_of(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1  # noqa: PLR2004 - the last that UTF-16 has in one unit
