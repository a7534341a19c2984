"""What the tests did not notice, and which of it is explained."""

import ast
import dataclasses
import difflib
import fnmatch
import json
import re
import tomllib
from pathlib import Path
from typing import Any

#: mutmut's exit codes (mutmut/utils/format_utils.py, 3.8.1). Those not named here are mutants that a test noticed.
SURVIVED = 0
WITHOUT_TESTS = (5, 33)
NOT_RUN = None
#: A letter, a blank and a letter: words that a person reads, and neither a key nor a separator.
_PROSE = re.compile(r"[^\W\d_]\W? \W?[^\W\d_]")


@dataclasses.dataclass(frozen=True, order=True)
class Mutant:
    """One change to one function, known by what it changes: mutmut's numbers move when the function changes."""

    function: str
    """With its module, as in `spout_operator.core.lease.claim`."""
    was: str
    becomes: str

    @property
    def keeps_all_words(self) -> bool:
        """Whether it writes `XX` before and after words of a text, and changes nothing else."""
        before, *words = self.becomes.split("XX")
        return len(words) == 2 and before + "".join(words) == self.was and bool(_PROSE.search(words[0]))


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Why no test notices some mutants. `function`, `was` and `becomes` are patterns of shell style."""

    function: str
    reason: str
    was: str = "*"
    becomes: str = "*"
    keeps_all_words: bool = False
    """Whether it is about `Mutant.keeps_all_words` only."""

    def covers(self, mutant: Mutant) -> bool:
        """Whether it is about this mutant."""
        if self.keeps_all_words and not mutant.keeps_all_words:
            return False
        return all(
            fnmatch.fnmatchcase(value, pattern)
            for value, pattern in (
                (mutant.function, self.function),
                (mutant.was, self.was),
                (mutant.becomes, self.becomes),
            )
        )


@dataclasses.dataclass(frozen=True)
class Module:
    """The mutants of one module: how many were run, and those of them that no test noticed."""

    name: str
    mutants: int
    run: int
    unnoticed: list[Mutant]


def read(mutated: Path) -> list[Module]:
    """What a run of mutmut left among the changed sources: each module that has mutants."""
    modules = []
    for meta in sorted(mutated.rglob("*.meta")):
        source = meta.with_suffix("")
        codes: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"]
        names = [name for name, code in codes.items() if code == SURVIVED or code in WITHOUT_TESTS]
        functions = _functions(source) if names else {}
        if codes:
            modules.append(
                Module(
                    name=".".join(source.relative_to(mutated).with_suffix("").parts),
                    mutants=len(codes),
                    run=sum(code is not NOT_RUN for code in codes.values()),
                    unnoticed=sorted(_mutant(name, functions) for name in names),
                )
            )
    return modules


def explanations(path: Path) -> list[Explanation]:
    """Those of the file."""
    entries: list[dict[str, Any]] = tomllib.loads(path.read_text())["explained"]
    return [Explanation(**entry) for entry in entries]


def _functions(source: Path) -> dict[str, list[str]]:
    """The lines of each variant of each function, without its name."""
    nodes = [
        node
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {node.name: ast.unparse(node).replace(node.name, "").splitlines() for node in nodes}


def _mutant(name: str, functions: dict[str, list[str]]) -> Mutant:
    module, _, variant = name.rpartition(".")
    mangled = variant.rpartition("__mutmut_")[0]
    before, after = functions[f"{mangled}__mutmut_orig"], functions[variant]
    changes = [line for line in difflib.ndiff(before, after) if line[:2] in {"- ", "+ "}]
    return Mutant(
        function=f"{module}.{_readable(mangled)}",
        was="\n".join(line[2:].strip() for line in changes if line[0] == "-"),
        becomes="\n".join(line[2:].strip() for line in changes if line[0] == "+"),
    )


def _readable(mangled: str) -> str:
    """`xǁLeaseǁread` is the method `Lease.read`, `x_claim` the function `claim`."""
    return mangled.removeprefix("xǁ").replace("ǁ", ".") if mangled.startswith("xǁ") else mangled.removeprefix("x_")
