"""Keeps the values of environment variables out of what is shown: statuses, log lines, stack traces.

What Pachyderm says can quote a pipeline's spec, printed by Go, gRPC or YAML, whole or cut off. So a value is looked
for in the words as they came, in every form in which they can be read (`core.escapes`), and only then is white space
folded and length bounded: `Secrets.shown` is the one place for all three.
"""

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from spout_operator.core.escapes import View, views

#: In characters, white space counted once. Shorter values (a port, a flag) are everywhere in ordinary text and no
#: secret. It is also how much of a value has to be there for it to be known again where it was cut off.
SHORTEST_SECRET = 6
#: Characters in common with a value that are no accident, wherever they begin and end. An `https://`, or a
#: `.default.svc`, which half of all values and messages share, is shorter.
LONGEST_ACCIDENT = 15
#: Characters of a message that are shown: a table of conditions is read by people.
LONGEST_SHOWN = 1024
#: Characters of a text that are looked at, and of these at the end how many are not shown: a value that begins in them
#: may be cut off before it can be known again. gRPC takes no messages of more than 16 KiB.
LONGEST_READ, UNKNOWN_END = 16 * 1024, 256
#: Places that are compared, some microseconds each. A text that has more in common with values is not shown at all.
MOST_COMPARED = 10_000
#: Texts that are prepared once, and how long each may be: most Spouts have one of the few messages of those that run.
MOST_PREPARED, LONGEST_PREPARED = 16, 128

REDACTED = "[redacted]"
# An accident that is longer: what the name of every Service ends with, and a port after it.
_COMMON = ".svc.cluster.local:"
#: What a character of a text can belong to: a whole value, a part of one, or what stands for one already.
_WHOLE, _PART, _REDACTED = 1, 2, 3

# Every accidental agreement of more than LONGEST_ACCIDENT characters holds one whole piece that begins at such a step.
_STEP = LONGEST_ACCIDENT - SHORTEST_SECRET + 2
# Where a value ends before its end: dots, the end of a quotation, an escape or a character that was cut in two.
_CUT = re.compile(r"""\.\.\.|…|["'`|\\\ud800-\udfff]""")
# An apostrophe is no quotation mark. One that is not closed goes to the end.
_QUOTATION = re.compile(
    r""""(?P<double>(?:[^"\\]|\\.)*)(?:"|\\?\Z)"""
    r"""|(?<!\w)'(?P<single>(?:[^'\\]|\\.|'(?=\w))*)(?:'|\\?\Z)"""
    r"""|`(?P<back>[^`]*)(?:`|\Z)""",
    re.DOTALL,
)


class _TooMuchError(Exception):
    """More places would have to be compared than there is time for."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Value:
    """A value with its white space folded, and from where to where its lines go that are long enough."""

    text: str
    lines: Sequence[tuple[int, int]]


class Secrets:
    """What must not be shown, as far as it is of `SHORTEST_SECRET` characters."""

    def __init__(self, values: Iterable[str], *, names: Iterable[str] = ()) -> None:
        """Know what to look for.

        Args:
            values: each of them is a secret, and so is each line of one that has several.
            names: known to everybody, they and any part of them, and so no secret, and no sign of a longer value.
        """
        self._names = frozenset(names)
        # Many Spouts can have the same value.
        folded = (_folded(value) for value in dict.fromkeys(values))
        self._values = [
            value for value in folded if len(value.text) >= SHORTEST_SECRET and not _is_in(value.text, self._names)
        ]

    def shown(self, text: str) -> str:
        """A message as it is shown: redacted, then with white space folded, then bounded by `LONGEST_SHOWN`."""
        message = " ".join(self.redact(text).split())
        return message if len(message) <= LONGEST_SHOWN else message[: LONGEST_SHOWN - 1] + "…"

    def redact(self, text: str) -> str:
        """A text without its secrets, bounded by `LONGEST_READ`, and else as it was.

        A value is struck out where it, or a line of it, is there as a whole. Where there is only a part of one, in
        a form that nobody knows, the quotation that it stands in is struck out as a whole.
        """
        end = len(text)
        if end > LONGEST_READ:
            text, end = text[:LONGEST_READ], LONGEST_READ - UNKNOWN_END
        if not self._values:
            return text[:end]
        search = _Search(text, self._values, self._names)
        try:
            search.run()
        except _TooMuchError:
            return REDACTED
        return search.rest(end)


class _Search:
    """One text, and what of it is struck out so far."""

    def __init__(self, text: str, values: Sequence[_Value], names: frozenset[str]) -> None:
        self._text, self._values, self._names = text, values, names
        self._marks = bytearray(len(text) + 1)
        for found in re.finditer(re.escape(REDACTED), text):
            self._mark(*found.span(), _REDACTED)
        self._compared = 0
        self._views = _prepared(text) if len(text) <= LONGEST_PREPARED else _views(text)

    def run(self) -> None:
        """Find all there is.

        Raises:
            _TooMuchError: that would take too long.
        """
        for find in (self._find_wholes, self._find_parts):
            for view, pieces in self._views:
                find(view, pieces)
        if _PART not in self._marks:
            return
        for quotation in _QUOTATION.finditer(self._text):
            begin, end = quotation.span(quotation.lastgroup or 0)
            if self._marks.find(_PART, begin, end) >= 0:
                self._mark(begin, end, _PART)

    def rest(self, end: int) -> str:
        """What is left of the text up to `end`."""
        shown, at = [], 0
        for marked in re.finditer(rb"[^\0]+", self._marks):
            if marked.start() >= end:
                break
            shown += [self._text[at : marked.start()], REDACTED]
            at = marked.end()
        return "".join([*shown, self._text[at:end]])

    def _find_wholes(self, view: View, pieces: Mapping[str, Sequence[int]]) -> None:
        """Values, and lines of them. Of a line alone nobody knows what became of the others, so it is a part."""
        for value in self._values:
            for begin, end in value.lines:
                line, is_whole = value.text[begin:end], end - begin == len(value.text)
                for at in self._places(pieces, line[:SHORTEST_SECRET]):
                    if not view.text.startswith(line, at) or self._marks[view.places[at]] == _REDACTED:
                        continue
                    if is_whole or not self._is_marked(view, at, len(line)):
                        self._mark_in(view, at, len(line), _WHOLE if is_whole else _PART)

    def _find_parts(self, view: View, pieces: Mapping[str, Sequence[int]]) -> None:
        """What is left of values that were cut off, or are in a form that nobody knows."""
        for value in self._values:
            text = value.text
            for begin, _ in value.lines:
                for at in self._places(pieces, text[begin : begin + SHORTEST_SECRET]):
                    most = _agreement(text, begin, view.text, at)
                    if _is_cut(view.text, at, most):
                        self._mark_part(view, at, most)
            steps = range(0, len(text) - SHORTEST_SECRET + 1, _STEP)
            # Values can be long, and most of this finds nothing.
            for step in [step for step in steps if text[step : step + SHORTEST_SECRET] in pieces]:
                for at in self._places(pieces, text[step : step + SHORTEST_SECRET]):
                    before = _agreement_before(text, step, view.text, at)
                    part = view.text[at - before : at + _agreement(text, step, view.text, at)]
                    # White space at the ends belongs to the text as well.
                    first, most = at - before + len(part) - len(part.lstrip()), len(part.strip())
                    if most > LONGEST_ACCIDENT and part.strip() not in _COMMON:
                        self._mark_part(view, first, most)

    def _places(self, pieces: Mapping[str, Sequence[int]], piece: str) -> Iterator[int]:
        """Where a piece is."""
        for at in pieces.get(piece, ()):
            self._compared += 1
            if self._compared > MOST_COMPARED:
                raise _TooMuchError
            yield at

    def _mark_part(self, view: View, at: int, length: int) -> None:
        """Mark a part of a value, unless it is known already to be of one, or is part of a name."""
        part = view.text[at : at + length]
        if not self._is_marked(view, at, length) and not _is_in(part, self._names):
            self._mark_in(view, at, length, _PART)

    def _is_marked(self, view: View, at: int, length: int) -> bool:
        return 0 not in self._marks[view.places[at] : view.places[at + length]]

    def _mark_in(self, view: View, at: int, length: int, mark: int) -> None:
        self._mark(view.places[at], view.places[at + length], mark)

    def _mark(self, begin: int, end: int, mark: int) -> None:
        self._marks[begin:end] = bytes([mark]) * (end - begin)


def _is_in(text: str, names: Iterable[str]) -> bool:
    return any(text in name for name in names)


def _folded(value: str) -> _Value:
    lines = [" ".join(line.split()) for line in value.splitlines()]
    text = " ".join(line for line in lines if line)
    found, begin = {(0, len(text))}, 0
    for line in lines:
        if len(line) >= SHORTEST_SECRET:
            found.add((begin, begin + len(line)))
        begin += len(line) + 1 if line else 0
    # The whole first.
    return _Value(text, sorted(found, key=lambda line: (line[0] - line[1], line)))


def _views(text: str) -> Sequence[tuple[View, Mapping[str, Sequence[int]]]]:
    """All views of a text, and their pieces."""
    # Without escapes first: what can be read exactly there is no part of something unknown in another view.
    return [(view, _pieces(view.text)) for view in views(text)][::-1]


_prepared = functools.lru_cache(MOST_PREPARED)(_views)


def _pieces(text: str) -> Mapping[str, Sequence[int]]:
    """All pieces of `SHORTEST_SECRET` characters, and where they begin."""
    pieces: dict[str, list[int]] = {}
    for at in range(len(text) - SHORTEST_SECRET + 1):
        pieces.setdefault(text[at : at + SHORTEST_SECRET], []).append(at)
    return pieces


def _is_cut(text: str, begin: int, length: int) -> bool:
    """Whether the beginning of a value that stands here, so long, is one that was cut off."""
    end = begin + length
    cut = _CUT.search(text, begin + SHORTEST_SECRET, end + len("..."))
    return end == len(text) or (cut is not None and cut.start() <= end)


def _agreement(one: str, at: int, other: str, there: int) -> int:
    """How many characters two texts have in common from these places on."""
    most, found, step = min(len(one) - at, len(other) - there), 0, 64
    while step:
        if found + step <= most and one.startswith(other[there + found : there + found + step], at + found):
            found += step
        else:
            step //= 2
    return found


def _agreement_before(one: str, at: int, other: str, there: int) -> int:
    """The same before these places, up to a step: what begins earlier was found at the step before."""
    found = 0
    while found < min(at, there, _STEP - 1) and one[at - found - 1] == other[there - found - 1]:
        found += 1
    return found
