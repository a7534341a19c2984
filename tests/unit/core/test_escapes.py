"""The views of a text: without its escapes and with white space folded, and where each character was."""

import pytest

from spout_operator.core.escapes import DEEPEST, views

ESCAPED = [
    (r"p\xc3\xa4\x41z", "päAz", (0, 1, 9, 13, 14), "bytes of UTF-8, of which two are one character"),
    (r"p\303\244\101z", "päAz", (0, 1, 9, 13, 14), "the same in octal digits"),
    (r"p\xff\x41z", "p\udcffAz", (0, 1, 5, 9, 10), "a byte that is none of UTF-8 takes one place"),
    (r"p\u0041\u0042\u0043z", "pABCz", (0, 1, 7, 13, 19, 20), "units of UTF-16"),
    (r"p\ud83d\ude00\u0041z", "p😀Az", (0, 1, 13, 19, 20), "of which two are one character"),
    (r"\ud800\udc00\u0041", "\U00010000A", (0, 12, 18), "the first character that takes two"),
    (r"\uffff\u0041", "\uffffA", (0, 6, 12), "the last one that takes one"),
    (r"p\ud83d\u0041z", "p\ud83dAz", (0, 1, 7, 13, 14), "a half of one that was cut in two"),
    (r"p\U0001f600z", "p😀z", (0, 1, 11, 12), "a code"),
    (r"p\"z", 'p"z', (0, 1, 3, 4), "a letter that stands for itself"),
    (r"p\tz", "p z", (0, 1, 3, 4), "white space in an escape is white space"),
]


@pytest.mark.parametrize(("text", "read", "places", "reason"), ESCAPED, ids=[row[-1] for row in ESCAPED])
def test_a_text_is_read_without_its_escapes(text: str, read: str, places: tuple[int, ...], reason: str) -> None:
    as_it_is, without = views(text)

    assert (as_it_is.text, tuple(as_it_is.places)) == (text, tuple(range(len(text) + 1))), reason
    assert (without.text, tuple(without.places)) == (read, places), reason


@pytest.mark.parametrize(
    ("text", "folded", "places"),
    [
        ("a  \n b", "a b", (0, 1, 5, 6)),
        ("\ta", " a", (0, 1, 2)),
        ("a b", "a b", (0, 1, 2, 3)),
    ],
    ids=["several", "one that is no blank", "one blank"],
)
def test_white_space_is_folded_into_one_blank(text: str, folded: str, places: tuple[int, ...]) -> None:
    (view,) = views(text)

    assert (view.text, tuple(view.places)) == (folded, places)


def test_escapes_of_escapes_are_read_to_a_bound() -> None:
    assert [view.text for view in views("\\" * 32)] == ["\\" * 32, "\\" * 16, "\\" * 8, "\\" * 4][: DEEPEST + 1]
