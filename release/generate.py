"""`make generate` and `make verify`: the files of the repository that are made of others.

    python -m release.generate [--verify]

Each generator stands beside what it writes, and has a function `files()`: the path and the text of each of its files.
`make lock` writes the lock files: that needs uv and a package index.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import plot
from charts import readme
from deploy.argocd import make
from release import version
from tests.packaging.gitops import testdata

ROOT = Path(__file__).parents[1]
_CRD = "spouts.spout-operator.io.yaml"


def generated() -> Mapping[Path, str]:
    """Every generated file, with its text as it has to be."""
    return {
        **version.files(ROOT),
        ROOT / "charts" / "spout-operator" / "files" / "crds" / _CRD: _text(ROOT / "crds" / _CRD),
        **readme.files(),
        **make.files(),
        **testdata.files(),
        **plot.files(),
    }


def stale(files: Mapping[Path, str]) -> list[Path]:
    """The files that are missing, or whose text is another one."""
    return [path for path, text in files.items() if not path.exists() or _text(path) != text]


def main(arguments: Sequence[str]) -> int:
    """Write the files that are stale, or with `--verify` only name them; returns the exit code."""
    files = generated()
    found = stale(files)
    verify = "--verify" in arguments
    for path in found:
        name = path.relative_to(ROOT)
        if verify:
            sys.stderr.write(f"{name} is not as it would be generated: run make generate\n")
        else:
            path.write_text(files[path], encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")
    return 1 if verify and found else 0


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
