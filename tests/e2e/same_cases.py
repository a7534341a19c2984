"""User programs of spouts, and what becomes of what they write: on run-local, and on a real Pachyderm 1.13.4.

test_same_cases.py runs them on 1.13.4, tests/integration/local/test_same_cases.py with run-local. A row whose two
results differ names a row of docs/reference/run-local.md.
"""

import dataclasses
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spout_testbed.harness import bodies

#: From a path to its content; of a large file its size and digest.
Files = dict[str, str]
_LARGE = 1000
_WRITER = Path(__file__).with_name("same_cases_writer.py")

#: `put FILE ...` writes one archive. $WORK is an empty folder that outlives the program; `life` counts its starts.
_PRELUDE = """
set -u
pfs=${SPOUT_PFS:-/pfs}
cd "$WORK"
echo start >> lives
life=$(wc -l < lives)
put() { until tar --no-recursion -cf "$pfs/out" "$@"; do sleep 0.1; done; }
"""
#: The archive that tells a test that all came through.
_END = "\necho end > end; put end\n"


@dataclasses.dataclass(frozen=True)
class Result:
    """What each commit of data changed, and the last marker."""

    commits: tuple[Files, ...]
    marker: Files = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A program, and its result.

    Where the result on Pachyderm 1 differs, `on_pachyderm_1` has it, and `difference` names the row of the docs. `says`
    is what its worker logs where it commits nothing more. `markers` are the archives with a marker alone, of which each
    makes an empty commit there, and none with run-local.
    """

    name: str
    script: str
    options: dict[str, object] = dataclasses.field(default_factory=dict)
    result: Result
    on_pachyderm_1: Result | None = None
    difference: str = ""
    says: str = ""
    markers: int = 0

    def spec(self, work: Path) -> bodies.Body:
        """The spec of the Spout that runs the program over the folder `work`."""
        return bodies.a_spec(
            {
                "transform.image": "python:3.13",
                "transform.cmd": ["sh"],
                "transform.stdin": (_PRELUDE + self.script + _END).splitlines(),
                "transform.env": {"WORK": str(work), "PYTHON": sys.executable, "WRITER": str(_WRITER)},
                "spout": self.options,
            }
        )


def shown(content: bytes) -> str:
    """A content as the rows have it."""
    if len(content) > _LARGE:
        return f"{len(content)} bytes, {hashlib.sha256(content).hexdigest()}"
    return content.decode("latin-1")


def changes(trees: Iterable[Files]) -> tuple[Files, ...]:
    """What each tree has that the one before it has not; a tree that changes nothing is left out."""
    found: list[Files] = []
    before: Files = {}
    for tree in trees:
        if new := {path: content for path, content in tree.items() if before.get(path) != content}:
            found.append(new)
        before = tree
    return tuple(found)


def _result(*commits: Files, **marker: str) -> Result:
    return Result(commits=(*commits, {"end": "end\n"}), marker=marker)


_NUMBERS = "".join(f"{number}\n" for number in range(1, 1_400_001)).encode()
_BYTES = bytes(range(256))
_OCTAL = "".join(f"\\{byte:03o}" for byte in _BYTES)

CASES = (
    Case(
        name="basic: each archive is a commit, also one of two files in a folder",
        script="echo 1 > a; put a; mkdir -p d/e; echo 2 > d/e/b; echo 3 > d/c; put d/e/b d/c",
        result=_result({"a": "1\n"}, {"d/e/b": "2\n", "d/c": "3\n"}),
    ),
    Case(
        name="overwrite false: a file that comes again is appended to",
        script="echo 1 > a; put a; echo 2 > a; put a",
        options={"overwrite": False},
        result=_result({"a": "1\n"}, {"a": "1\n2\n"}),
    ),
    Case(
        name="overwrite true: a file that comes again is replaced",
        script="echo 1 > a; put a; echo 2 > a; put a",
        options={"overwrite": True},
        result=_result({"a": "1\n"}, {"a": "2\n"}),
    ),
    Case(
        name="marker as a file, always replaced",
        script="for n in 1 2 3; do echo $n > data-$n; put data-$n; echo $n > offset; put offset; done",
        options={"marker": "offset"},
        result=_result({"data-1": "1\n"}, {"data-2": "2\n"}, {"data-3": "3\n"}, offset="3\n"),
        markers=3,
    ),
    Case(
        name="marker as a folder, of which one file is written again",
        script="mkdir off; echo 1 > off/0; echo 1 > off/1; put off/0 off/1; echo 1 > a; put a; "
        "echo 2 > off/1; put off/1",
        options={"marker": "off"},
        result=_result({"a": "1\n"}, **{"off/0": "1\n", "off/1": "2\n"}),
        markers=2,
    ),
    Case(
        name="binary: every byte, an empty file, a long name and one with a space",
        script=(
            "long=$(printf 'n%.0s' $(seq 120)); "
            f"printf '{_OCTAL}' > \"$long\"; "
            "echo 1 > 'two words'; : > empty; put --format=pax \"$long\" 'two words' empty"
        ),
        result=_result(
            {"n" * 120: _BYTES.decode("latin-1"), "two words": "1\n", "empty": ""},
        ),
    ),
    Case(
        name="10 MB in one file, with a small one behind it",
        script="seq 1 1400000 > large; echo 1 > small; put large small",
        result=_result({"large": shown(_NUMBERS), "small": "1\n"}),
    ),
    Case(
        name="hammering opens: the pipe is opened and closed 200 times without a byte before each archive",
        script='for n in 1 2 3; do for i in $(seq 200); do : > "$pfs/out"; done; echo $n > f$n; put f$n; done',
        result=_result({"f1": "1\n"}, {"f2": "2\n"}, {"f3": "3\n"}),
    ),
    Case(
        name="a Python writer that holds the pipe open over 20 archives",
        script='"$PYTHON" "$WRITER"',
        result=_result(*({f"file-{number}": f"{number}\n"} for number in range(20))),
    ),
    Case(
        name="code that dies in the middle of an archive leaves nothing of it, and starts again",
        script=(
            "seq 1 3000 > a; tar -cf whole.tar a; "
            '[ "$life" = 1 ] && { head -c 3000 whole.tar > "$pfs/out"; exit 1; }; echo 1 > b; put a b'
        ),
        result=_result({"a": shown("".join(f"{n}\n" for n in range(1, 3001)).encode()), "b": "1\n"}),
    ),
    Case(
        name="code that dies between data and marker sees the earlier marker",
        script=(
            'cat "$pfs/offset" > "from-$life" 2>/dev/null || echo none > "from-$life"; put "from-$life"; '
            '[ "$life" = 1 ] && { echo 1 > offset; put offset; echo 1 > data; put data; kill -9 $$; }'
        ),
        options={"marker": "offset", "overwrite": True},
        result=_result({"from-1": "none\n"}, {"data": "1\n"}, {"from-2": "1\n"}, offset="1\n"),
        on_pachyderm_1=_result({"from-1": "none\n"}, {"data": "1\n"}, {"from-2": "none\n"}, offset="1\n"),
        difference="`/pfs/MARKER` after a crash of the code alone",
        markers=1,
    ),
    Case(
        name="a file whose name begins as the marker does",
        script="echo 1 > a; put a; echo 2 > offline.csv; put offline.csv",
        options={"marker": "off"},
        result=_result({"a": "1\n"}, {"offline.csv": "2\n"}),
        on_pachyderm_1=_result({"a": "1\n"}, **{"offline.csv": "2\n"}),
        difference="which files belong to the marker `off`",
        markers=1,
    ),
    Case(
        name="data and marker in one archive",
        script="echo 1 > data; echo 1 > offset; put data offset",
        options={"marker": "offset"},
        result=_result({"data": "1\n"}, offset="1\n"),
        on_pachyderm_1=Result(commits=()),
        difference="data and marker in one archive",
        says="all requests in a put files call must have the same commit ID",
    ),
    Case(
        name="a folder as an entry of an archive",
        script="echo 1 > a; put a; mkdir d; echo 2 > d/b; put d d/b",
        result=_result({"a": "1\n"}, {"d/b": "2\n"}),
        on_pachyderm_1=Result(commits=({"a": "1\n"},)),
        difference="a folder as an entry of an archive",
        says="but it's not a directory",
    ),
    Case(
        name="a name with a letter outside ASCII",
        script="echo 1 > a; put a; echo 2 > ü; put ü",
        result=_result({"a": "1\n"}, {"ü": "2\n"}),
        on_pachyderm_1=Result(commits=({"a": "1\n"},)),
        difference="a name with a letter outside ASCII",
        says="only printable ASCII characters allowed",
    ),
)


def body(case: Case, work: Path, name: str) -> dict[str, Any]:
    """The whole Spout."""
    return bodies.a_spout(name=name, spec=case.spec(work))
