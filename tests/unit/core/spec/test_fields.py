"""Canonical JSON: two layouts of one patch are the same text."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.spec.fields import Reader, canonical_json


@dataclass(frozen=True)
class Layout:
    """A text and its canonical form."""

    text: str
    canonical: str
    reason: str


LAYOUTS = [
    Layout("", "", "no patch"),
    Layout(" \n", "", "white space is no patch either"),
    Layout("[ ]", "[]", "white space says nothing"),
    Layout('{"b": 1, "a": 2}', '{"a":2,"b":1}', "the order of keys says nothing"),
    Layout("[2, 1]", "[2,1]", "the order of a list says everything"),
    Layout('["\\u0041"]', '["A"]', "an escape is the letter it stands for"),
    Layout("[9007199254740991.0]", "[9007199254740991]", "a whole number is written so, as Go does"),
    Layout("[9007199254740992.0]", "[9007199254740992.0]", "but for those that are not exact any more"),
    Layout("[-1.0, -9007199254740992.0]", "[-1,-9007199254740992.0]", "below 0 as well"),
]


@pytest.mark.parametrize("row", LAYOUTS, ids=lambda row: row.reason)
def test_layout_is_taken_out(row: Layout) -> None:
    assert canonical_json(row.text) == row.canonical, row.reason


patches = st.lists(
    st.dictionaries(
        st.sampled_from(["op", "path", "value"]), st.text(max_size=4) | st.integers() | st.booleans(), max_size=3
    ),
    max_size=3,
)


@given(patches, st.sampled_from([None, 1, 4]), st.booleans())
def test_every_layout_of_a_patch_has_the_same_canonical_form(
    patch: object, indent: int | None, ascii_only: bool
) -> None:
    canonical = canonical_json(json.dumps(patch, indent=indent, ensure_ascii=ascii_only))

    assert canonical == canonical_json(json.dumps(patch))
    assert canonical_json(canonical) == canonical, "canonical twice is canonical once"
    assert json.loads(canonical) == patch, "and still the same patch"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "cut off"),
        ("- op: remove", "YAML"),
        ("{'op': 'remove'}", "Python"),
        ("[NaN]", "Python reads it, the JSON parser of Pachyderm does not"),
        ("[" * 60_000, "nested beyond reading"),
    ],
    ids=["cut off", "yaml", "python", "nan", "deep"],
)
def test_a_text_that_is_no_json_is_a_value_error(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        pytest.fail(f"{reason}: {canonical_json(text)}")


def test_a_wrong_field_reads_as_absent_so_that_reading_goes_on() -> None:
    reader = Reader()
    found = {"a": 1, "b": "yes"}

    assert (reader.text(found, "spec.a"), reader.flag(found, "spec.b")) == ("", False)
    assert [problem.partition(":")[0] for problem in reader.problems] == ["spec.a", "spec.b"]


def test_absent_fields_are_no_problem() -> None:
    reader = Reader()

    read = (reader.text({}, "a"), reader.flag({}, "a"), reader.number({}, "a"), reader.texts({}, "a"))

    assert read == ("", False, 0, ())
    assert reader.problems == []
