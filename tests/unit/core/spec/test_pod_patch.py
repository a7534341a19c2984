"""A podPatch: what RFC 6902 forbids, and what would end pachd, is found whatever the Pod looks like."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.spec import pod_patch

Operation = dict[str, Any]


def findings(*operations: Any) -> list[str]:
    return list(pod_patch.findings(json.dumps(operations)))


@dataclass(frozen=True)
class Row:
    """One operation, and what is said of it."""

    operation: Any
    says: str
    reason: str


REFUSED = [
    Row(
        "add",
        'is no object; write it as in {"op": "add", "path": "/hostNetwork", "value": true}',
        "a text is no operation",
    ),
    Row(None, "is no object", "nor is null"),
    Row({"path": "/a", "value": 1}, "has no op; write one of add, remove, replace, move, copy, test", "what to do?"),
    Row({"op": "append", "path": "/a"}, "has the op 'append'", "RFC 6902 has six"),
    Row({"op": "Add", "path": "/a", "value": 1}, "has the op 'Add'", "they are in lower case"),
    Row({"op": ["add"], "path": "/a"}, "has the op ['add']", "no text"),
    Row({"op": "remove"}, "has no path, which remove needs", "remove what?"),
    Row({"op": "remove", "path": None}, "has a path that is no text", "null is no path"),
    Row({"op": "remove", "path": 1}, "has a path that is no text", "nor is a number"),
    Row({"op": "move", "path": "/a"}, "has no from, which move needs", "from where?"),
    Row({"op": "copy", "path": "/a", "from": 1}, "has a from that is no text", "a number is no path"),
    Row({"op": "add", "path": "/a"}, "has no value, which add needs", "what?"),
    Row({"op": "replace", "path": "/a"}, "has no value, which replace needs", "what?"),
    Row({"op": "test", "path": "/a"}, "has no value, which test needs", "json-patch panics where /a is not there"),
    Row({"op": "remove", "path": ""}, "has an empty path, which would be the whole Pod", "nothing would be left"),
    Row({"op": "move", "path": "/a", "from": ""}, "has an empty from", "the whole Pod into itself"),
    Row({"op": "remove", "path": "a/b"}, "has the path 'a/b'; begin it with '/'", "json-patch would take it for /b"),
    Row({"op": "remove", "path": "/a~2"}, "'~' that is followed by neither 0 nor 1", "RFC 6901"),
    Row({"op": "remove", "path": "/a~"}, "write '~0' for a '~'", "RFC 6901"),
    Row(
        {"op": "replace", "path": "/containers/-1/image", "value": "x"},
        "has the path '/containers/-1/image' with the negative index -1, on which pachd crashes; count from 0",
        "seen on a real pachd: it panics, and again after each restart",
    ),
    Row({"op": "remove", "path": "/a/-12"}, "the negative index -12", "the same, at the end"),
    Row({"op": "add", "path": "/a/-1", "value": 1}, "the negative index -1", "json-patch would count from the end"),
    Row({"op": "copy", "path": "/a", "from": "/b/-0"}, "the negative index -0", "no index in RFC 6901"),
    Row({"op": "move", "path": "/a", "from": "/b/-1"}, "has the from '/b/-1' with the negative index -1", "panics"),
    Row({"op": "remove", "path": "/a/-"}, "'-' is the place after the end of a list", "nothing is there"),
    Row({"op": "replace", "path": "/a/-", "value": 1}, "only the path of add, move or copy can end with it", "same"),
    Row({"op": "test", "path": "/a/-", "value": 1}, "'-' is the place after", "the same"),
    Row({"op": "add", "path": "/a/-/b", "value": 1}, "'-' is the place after", "and below it neither"),
    Row({"op": "add", "path": "/a/-/", "value": 1}, "'-' is the place after", "also with an empty name below it"),
    Row({"op": "move", "path": "/a", "from": "/b/-"}, "has the from '/b/-', in which '-'", "nothing to move"),
    Row({"op": "add", "path": "/affinity", "value": None}, "has a null in its value", "panics if added to"),
    Row({"op": "replace", "path": "/a", "value": {"b": [1, None]}}, "has a null in its value", "panics if compared"),
    Row(
        {"op": "test", "path": "/a", "value": None},
        "Kubernetes takes null for absent, so leave it out, or use remove",
        "nothing in a Pod is null",
    ),
    Row({"op": "test", "path": "/a", "value": [None]}, "has a null in its value", "panics"),
]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: json.dumps(row.operation))
def test_a_harmful_patch_is_refused(row: Row) -> None:
    found = findings(row.operation)

    assert len(found) == 1, row.reason
    assert found[0].startswith("operation 1 of 1: "), row.reason
    assert row.says in found[0], row.reason


TAKEN = [
    ({"op": "add", "path": "/hostNetwork", "value": True}, "the common case"),
    ({"op": "add", "path": "/containers/-", "value": {"name": "a"}}, "at the end of a list"),
    ({"op": "move", "from": "/a/0", "path": "/a/-"}, "to the end of a list"),
    ({"op": "copy", "from": "/a/0", "path": "/a/-"}, "the same"),
    ({"op": "remove", "path": "/containers/0/env/12"}, "indices count from 0"),
    ({"op": "remove", "path": "/nodeSelector/007"}, "a key of an object: whether it is an index, only the Pod tells"),
    ({"op": "add", "path": "/nodeSelector/a~1b~0c", "value": ""}, "escaped as RFC 6901 wants it"),
    ({"op": "add", "path": "/nodeSelector/a-1", "value": "-1"}, "a dash inside of a key, and outside of a path"),
    ({"op": "add", "path": "/", "value": 1}, "the member without a name"),
    ({"op": "test", "path": "/containers", "value": [{"name": "user"}]}, "a list, before any copy"),
    ({"op": "remove", "path": "/a", "value": None, "comment": "x"}, "members that the operation does not need"),
]


@pytest.mark.parametrize(("operation", "reason"), TAKEN)
def test_a_harmless_patch_is_accepted(operation: Operation, reason: str) -> None:
    assert findings(operation) == [], reason


def test_an_empty_patch_does_nothing() -> None:
    assert findings() == []


@pytest.mark.parametrize("patch", ['{"op": "remove"}', "null", "1", '"[]"'])
def test_a_patch_is_a_list(patch: str) -> None:
    assert list(pod_patch.findings(patch)) == [
        "is no JSON patch, which is a list of operations; begin it with '[' and end it with ']'"
    ]


COPY = {"op": "copy", "from": "/a", "path": "/b"}


@pytest.mark.parametrize("value", [{"a": 1}, [], [1]])
def test_no_list_or_object_is_compared_after_a_copy(value: object) -> None:
    test = {"op": "test", "path": "/a", "value": value}

    assert findings(test, COPY) == []
    assert findings(COPY, test) == [
        (
            "operation 2 of 2: tests a list or an object after a copy, on which pachd can crash; test before the first "
            "copy, or test single texts, numbers and booleans"
        )
    ]


@pytest.mark.parametrize("value", ["text", 1, True])
def test_single_values_are_compared_after_a_copy_too(value: object) -> None:
    assert findings(COPY, {"op": "test", "path": "/a", "value": value}) == []


def test_every_finding_has_the_number_of_its_operation() -> None:
    good = {"op": "remove", "path": "/a"}

    found = findings(good, {"op": "remove", "path": ""}, good, {"op": "move"}, 7)

    assert [finding.partition(":")[0] for finding in found] == [
        *("operation 2 of 5", "operation 4 of 5", "operation 4 of 5", "operation 5 of 5")
    ]


def test_a_null_is_found_at_any_depth() -> None:
    deep: object = None
    for _ in range(200):
        deep = [{"a": deep}]

    assert len(findings({"op": "add", "path": "/a", "value": deep})) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
segments = st.sampled_from(["", "a", "0", "1", "01", "-", "-1", "-0", "+1", "~0", "~1", "~2", "~", "a/b"])
pointers = st.lists(segments, max_size=4).map(lambda parts: "".join(f"/{part}" for part in parts)) | st.text(max_size=4)
operations = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "append"]) | json_values,
        "path": pointers | json_values,
        "from": pointers | json_values,
        "value": json_values,
    },
)


def as_rfc_6902_wants(operation: Any) -> bool:
    """RFC 6902, section 4, and RFC 6901, in other words than the code has them."""

    def is_pointer(text: object) -> bool:
        return isinstance(text, str) and text.startswith("/") and "~" not in text.replace("~0", "").replace("~1", "")

    match operation:
        case {"op": "remove", "path": path}:
            return is_pointer(path)
        case {"op": "add" | "replace" | "test", "path": path, "value": _}:
            return is_pointer(path)
        case {"op": "move" | "copy", "path": path, "from": source}:
            return is_pointer(path) and is_pointer(source)
    return False


@given(st.lists(operations | json_values, max_size=4))
def test_an_accepted_patch_is_valid_by_rfc_6902(patch: list[Any]) -> None:
    assert findings(*patch) or all(as_rfc_6902_wants(operation) for operation in patch)


holding_null = st.recursive(
    st.none(),
    lambda inner: (
        st.builds(lambda items, found: [*items, found], st.lists(json_values, max_size=2), inner)
        | st.builds(lambda members, found: {**members, "here": found}, st.dictionaries(st.text(), json_values), inner)
    ),
    max_leaves=4,
)


@given(st.sampled_from(["add", "replace", "test"]), holding_null)
def test_no_value_with_a_null_in_it_is_taken(op: str, value: object) -> None:
    assert findings({"op": op, "path": "/a", "value": value}) != []


@given(
    st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
    st.lists(segments, max_size=2),
    st.integers(max_value=-1),
    st.lists(segments, max_size=2),
    st.booleans(),
)
def test_no_negative_index_is_taken(op: str, before: list[str], index: int, after: list[str], in_from: bool) -> None:
    path = "".join(f"/{segment}" for segment in (*before, index, *after))
    paths = {"path": "/a", "from": path} if in_from and op in ("move", "copy") else {"path": path, "from": "/a"}

    assert findings({"op": op, "value": 1, **paths}) != []


@given(json_values)
def test_any_json_is_read_without_a_crash(value: object) -> None:
    assert isinstance(list(pod_patch.findings(json.dumps(value))), list)
