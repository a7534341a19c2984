"""Text to documents: what pachctl reads and prints, and what is said of everything else."""

import contextlib
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.importing.documents import MOST_BYTES, documents
from spout_operator.importing.errors import UnreadableError

READ = [
    (b'{"a": 1}', [{"a": 1}], "JSON"),
    (b'\n{"a": 1}\n{"a": 2}{"a": 3}\n', [{"a": 1}, {"a": 2}, {"a": 3}], "objects in a row, as pachctl prints them"),
    (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}], "a list"),
    (b"a: 1\n---\na: 2\n", [{"a": 1}, {"a": 2}], "documents of YAML"),
    (b"- a: 1\n- a: 2\n---\na: 3", [{"a": 1}, {"a": 2}, {"a": 3}], "a list of YAML"),
    (b"---\n\n---\na: 1\n---\n", [{"a": 1}], "empty documents are none"),
    (b"", [], "nothing"),
    (b"# a remark\n", [], "nothing but a remark"),
    (b"\xef\xbb\xbf{}", [{}], "a byte order mark, as Windows writes it"),
    (b"{a: 1,}", [{"a": 1}], "an object of YAML"),
    (b"a: &x [1]\nb: *x\n", [{"a": [1], "b": [1]}], "an alias"),
    (
        b"N: yes\ny: on\nb: 1:30\nc: 2026-01-31\nd: 010\ne: 1_000\nf: 0x1F",
        [{"N": "yes", "y": "on", "b": "1:30", "c": "2026-01-31", "d": "010", "e": "1_000", "f": "0x1F"}],
        "texts in YAML 1.2, which pachctl reads; numbers, dates and booleans in 1.1, which PyYAML reads",
    ),
    (
        b"a: true\nb: FALSE\nc: -5\nd: 0\ne: 0.5\nf: 1e3\ng: .5\nh: ~\ni: null\nj:\n",
        [{"a": True, "b": False, "c": -5, "d": 0, "e": 0.5, "f": 1000.0, "g": 0.5, "h": None, "i": None, "j": None}],
        "what is no text in YAML 1.2",
    ),
]


@pytest.mark.parametrize(("content", "found", "reason"), READ, ids=[row[2] for row in READ])
def test_a_file_is_read(content: bytes, found: list[object], reason: str) -> None:
    assert documents(content) == found, reason


DEEP = 200_000
REFUSED = [
    (b'{"a": 1,\n "b": 2 "c": 3,\n "d": "hunter2"', "is no JSON: line 2, column 9: Expecting ',' delimiter"),
    (b'{"a": 1} and more', "is no JSON: line 1, column 10: Expecting value"),
    (b"a: [1\nb: hunter2", "is no YAML: line 2, column 2: did not find expected ',' or ']'"),
    (b"a: 'hunter2", "is no YAML: line 1, column 12: found unexpected end of stream"),
    (b"a: !secret hunter2", "is no YAML: line 1, column 4: could not determine a constructor for the tag '!secret'"),
    (b"a: !!int hunter2", "is no YAML: a value is not what its tag says"),
    (b"a: \x07", "is no YAML: unacceptable character #x0007"),
    (b"\x00\x01", "is a binary file"),
    (b"a: \xff\xfe", "is no text in UTF-8 (byte 4)"),
    ("{}".encode("utf-16"), "is no text in UTF-8 (byte 1)"),
    (b'{"a": 1, "b": 2, "a": 3}', "has the key 'a' twice in one object"),
    (b"a: 1\nb:\n  c: 1\n  c: 2\n", "has the key 'c' twice in one object, again in line 4"),
    (b"1: a", "has a key in line 1 that is no text"),
    (b"true: a", "has a key in line 1 that is no text"),
    (b"? [a]\n: b", "has a key in line 1 that is no text"),
    (b"a: &x {b: 1}\nc:\n  <<: *x\n", "merges another object in line 3"),
    (b'{"a": ' + b"9" * 6000 + b"}", "holds a number that no field"),
    (b"[" * DEEP, "is nested too deeply"),
    (b'{"a":' * DEEP, "is nested too deeply"),
    (b"- " * DEEP, "is nested too deeply"),
    (b"a: &a [*a]", "holds more than 1,000,000 values"),
    (
        b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)),
        "holds more than 1,000,000 values",
    ),
    (b" " * (MOST_BYTES + 1), "is larger than 16 MiB"),
]


@pytest.mark.parametrize(("content", "says"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_cannot_be_read_is_told_with_its_place_and_without_its_values(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableError) as error:
        documents(content)

    assert str(error.value).startswith(says)
    assert "hunter2" not in str(error.value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.text(), json_values, max_size=3)


@given(st.lists(objects, max_size=3), st.booleans())
def test_json_is_read_as_it_was_meant(found: list[dict[str, object]], escaped: bool) -> None:
    texts = [json.dumps(item, ensure_ascii=escaped) for item in found]

    assert documents("\n".join(texts).encode()) == found


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="ignore")))
def test_anything_else_is_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        assert isinstance(documents(content), list)


@given(st.lists(objects, min_size=1, max_size=2))
def test_yaml_with_quotes_is_read_as_it_was_meant(found: list[dict[str, object]]) -> None:
    def without_merges(value: object) -> bool:
        return "<<" not in json.dumps(value)

    if all(map(without_merges, found)):
        assert documents(yaml.safe_dump_all(found, default_style='"').encode()) == found
