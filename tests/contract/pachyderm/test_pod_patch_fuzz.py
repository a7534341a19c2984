"""No podPatch that the operator accepts makes the JSON patch library of pachd panic, and each applies as predicted.

The tests run the library of pachd 1.13.4 itself (`testbed/servers/podpatch`). A panic in it ends pachd.
"""

import copy
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from spout_operator.core import model
from spout_operator.core.spec.fields import canonical_json
from spout_operator.core.spec.pod_patch import findings
from spout_operator.pachyderm import pod_patch
from spout_operator.pachyderm.v1.worker_pod import worker_pod
from spout_testbed import programs
from tests.builders import a_spec, a_transform

Json = Any
Operation = dict[str, Json]

#: How many patches are accepted. They are the same in every run, so that a failure can be repeated.
PATCHES = 10_000
SEED = 9
AFFINITY = {"op": "add", "path": "/affinity", "value": None}

KNOWN_PANICS: list[tuple[str, list[Operation]]] = [
    ("a negative index", [{"op": "replace", "path": "/containers/-1/image", "value": "x"}]),
    ("a negative index to move from", [{"op": "move", "from": "/volumes/-1", "path": "/a"}]),
    ("something below a null", [AFFINITY, {"op": "add", "path": "/affinity/nodeAffinity", "value": {}}]),
    ("something to remove below a null", [AFFINITY, {"op": "remove", "path": "/affinity/nodeAffinity"}]),
    (
        "a null that is moved",
        [AFFINITY, {"op": "move", "from": "/affinity", "path": "/a"}, {"op": "remove", "path": "/a/b"}],
    ),
    (
        "a null that is copied becomes a map that cannot be written to",
        [AFFINITY, {"op": "copy", "from": "/affinity", "path": "/a"}, {"op": "add", "path": "/a/b", "value": 1}],
    ),
    ("a test without a value", [{"op": "test", "path": "/affinity"}]),
    (
        "a null in what is tested for",
        [{"op": "add", "path": "/a", "value": {"b": 1}}, {"op": "test", "path": "/a", "value": {"b": None}}],
    ),
    (
        "a null in what is tested",
        [{"op": "add", "path": "/a", "value": [None]}, {"op": "test", "path": "/a", "value": [1]}],
    ),
    (
        "a copy of what is not there is a null",
        [
            {"op": "add", "path": "/a", "value": {}},
            {"op": "copy", "from": "/affinity", "path": "/a/b"},
            {"op": "test", "path": "/a", "value": {"b": 1}},
        ],
    ),
]


@pytest.fixture(scope="module")
def pod() -> Json:
    """A worker Pod with only a few of its variables, as the answers contain it thousands of times."""
    transform = a_transform(env={"A": "ü & <b>"}, secrets=(model.SecretMount(name="kafka", mount_path="/etc/kafka"),))
    pod = json.loads(json.dumps(worker_pod("my-spout", a_spec(transform=transform))))
    for container in pod["containers"]:
        del container["env"][3:]
    return pod


def answers(questions: Sequence[tuple[Json, str]]) -> list[dict[str, Json]]:
    """The library's answer to each patch on its document."""
    # The documents as pachd writes them: the operation `test` compares their texts.
    asked = [f'{{"doc":{canonical_json(json.dumps(doc))},"patch":{json.dumps(patch)}}}' for doc, patch in questions]
    done = programs.run("podpatch", input="\n".join(asked))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class Nasty:
    """Generates patches without end: most are accepted, and some panic or nearly do."""

    def __init__(self, doc: Json, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._paths = [*_paths(doc), "/affinity", "/affinity/x", "/a", "/a/0", "/b/x", "/a/x/y"]

    def __iter__(self) -> Iterator[str]:
        pick = self._random
        while True:
            operations = [self._operation() for _ in range(pick.choice([1, 1, 2, 2, 3]))]
            if pick.random() < 0.3:
                place = pick.randint(0, len(operations))
                operations[place:place] = self._near_a_panic()
            yield canonical_json(json.dumps(operations))

    def _operation(self) -> Operation:
        pick = self._random
        op = pick.choice(["add", "add", "add", "remove", "replace", "move", "copy", "test"])
        path = pick.choice(self._paths)
        if op in ("add", "move", "copy") and pick.random() < 0.5:
            path += pick.choice(["/x", "/0", "/-", "/~0~1", "/1"])
        return {"op": op, "path": path, "from": pick.choice(self._paths), "value": self._value(3)}

    def _near_a_panic(self) -> list[Operation]:
        pick = self._random
        path, below = (
            pick.choice(["/affinity", "/a", "/volumes/0", "/containers/0/env/1"]),
            pick.choice(["/x", "/0", "/-1"]),
        )
        nothing: Json = pick.choice([None, None, {}, {"x": None}, [None], {"x": {}}, []])
        add, use = {"op": "add", "path": path, "value": nothing}, {**self._operation(), "path": path + below}
        copies = [{"op": "copy", "from": pick.choice([path, "/nowhere"]), "path": "/b"}, {**use, "path": "/b" + below}]
        copy_below = {
            "op": "copy",
            "from": pick.choice(["/nowhere", "/securityContext/runAsUser"]),
            "path": path + "/x",
        }
        tests = [{"op": "test", "path": path, "value": pick.choice([{"x": 1}, {"x": None}, [1], [None], 1, None])}]
        valueless = [{"op": pick.choice(["add", "replace", "test"]), "path": pick.choice([path, path + below])}]
        index = [
            {**use, "path": pick.choice(self._paths) + pick.choice(["/-1", "/-2/x", "/-0", "/01", "/+1", "/99", ""])}
        ]
        source = [
            {**use, pick.choice(["path", "from"]): pick.choice(["", "a/b", "/~2", "/a/-", "/volumes/-1", "/-/x"])}
        ]
        copied = [{**add, "value": {}}, copy_below, *tests]
        near = [[add, use], [add, *copies], [add, *copies, *tests], [add, *tests], copied, valueless, index, source]
        return pick.choice(near)

    def _value(self, depth: int) -> Json:
        pick = self._random
        kind = pick.choice(["single", "single", "list", "object"]) if depth else "single"
        if kind == "single":
            return pick.choice([0, 1, True, False, "", "x", "ü & <b>", "/pfs", 1.5, 2**60])
        items = [self._value(depth - 1) for _ in range(pick.randint(0, 2))]
        return items if kind == "list" else dict(zip("x0", items, strict=False))


def _paths(doc: Json, prefix: str = "") -> Iterator[str]:
    """Every place in a document."""
    items = doc.items() if isinstance(doc, dict) else enumerate(doc) if isinstance(doc, list) else ()
    for key, found in items:
        path = f"{prefix}/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield path
        yield from _paths(found, path)


def foreseen(patch: str, doc: Json) -> Json | None:
    """The patched document as the operator predicts it; None where the operator refuses the patch."""
    if any(findings(patch)):
        return None
    try:
        return pod_patch.apply(patch, copy.deepcopy(doc))
    except pod_patch.Inapplicable:
        return None


@pytest.mark.parametrize(("reason", "patch"), KNOWN_PANICS)
def test_a_patch_that_panics_the_library_is_refused(pod: Json, reason: str, patch: list[Operation]) -> None:
    text = json.dumps(patch)

    assert [answer["outcome"] for answer in answers([(pod, text)])] == ["panic"], reason
    assert list(findings(text)) != [], reason


def test_accepted_random_patches_do_not_panic_and_apply_as_predicted(pod: Json) -> None:
    taken: list[tuple[str, Json]] = []
    refused: list[str] = []
    for patch in Nasty(pod, SEED):
        doc = foreseen(patch, pod)
        if doc is not None:
            taken.append((patch, doc))
        else:
            refused.append(patch)
        if len(taken) == PATCHES:
            break

    made = answers([(pod, patch) for patch, _ in taken])

    wrong = [
        (patch, answer)
        for (patch, doc), answer in zip(taken, made, strict=True)
        if answer["outcome"] != "ok" or canonical(answer["doc"]) != canonical(doc)
    ]
    assert wrong == []
    # Otherwise this would show nothing: many of the generated patches panic, and the operator refused them.
    panics = [answer for answer in answers([(pod, patch) for patch in refused]) if answer["outcome"] == "panic"]
    assert len(panics) > PATCHES / 20


def test_accepted_random_patches_do_not_panic_on_any_document(pod: Json) -> None:
    # A server can be configured in ways that the operator does not know, so safety must not depend on the Pod.
    pick = random.Random(SEED)  # noqa: S311 - no secret
    taken = itertools.islice((patch for patch in Nasty(pod, SEED + 1) if not any(findings(patch))), PATCHES)
    questions = [(cut(pod, pick), patch) for patch in taken]

    made = zip(questions, answers(questions), strict=True)

    assert [question for question, answer in made if answer["outcome"] == "panic"] == []


def cut(doc: Json, pick: random.Random) -> Json:
    """The document without some of its parts."""
    if isinstance(doc, dict):
        return {key: cut(found, pick) for key, found in doc.items() if pick.random() < 0.9}
    if isinstance(doc, list):
        return [cut(found, pick) for found in doc if pick.random() < 0.9]
    return doc


def canonical(doc: Json) -> str:
    return json.dumps(doc, sort_keys=True)
