"""The version of the project: pyproject.toml has it, and `make generate` writes it into every other place."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = "pyproject.toml"
NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A file, or a part of one, that names the version."""

    path: str
    part: str = ""
    """Which of the places in this file, where it has several."""
    pattern: str
    """Matches the text around the version, which is its only group; it may match several times."""

    @property
    def name(self) -> str:
        """How messages call this place."""
        return f"{self.path}, {self.part}" if self.part else self.path

    def read(self, text: str) -> str:
        """The version that `text` has here: one where all matches agree."""
        return ", ".join(sorted(set(re.findall(self.pattern, text, re.MULTILINE)))) or NOTHING

    def written(self, text: str, version: str) -> str:
        """`text` with this version here.

        Raises:
            ValueError: the place is not in `text`.
        """
        if self.read(text) == NOTHING:
            raise ValueError(
                f"{self.name} names no version: nothing there matches {self.pattern!r} (release/version.py)"
            )

        def replaced(match: re.Match[str]) -> str:
            begin, end = match.start(1) - match.start(), match.end(1) - match.start()
            return f"{match.group()[:begin]}{version}{match.group()[end:]}"

        return re.sub(self.pattern, replaced, text, flags=re.MULTILINE)


_CHART = "charts/spout-operator/Chart.yaml"
PLACES = (
    Place(path="operator/spout_operator/__init__.py", pattern=r'^__version__ = "(.*)"'),
    Place(path="Dockerfile", pattern=r"^ARG VERSION=(.*)$"),
    Place(path=_CHART, part="version", pattern=r"^version: (\S+)$"),
    Place(path=_CHART, part="appVersion", pattern=r"^appVersion: (\S+)$"),
    Place(path="deploy/base/kustomization.yaml", pattern=r"^ +newTag: (\S+)$"),
    Place(path="deploy/argocd/applications.yaml", pattern=r"/spout-operator:([^\s\]]+)"),
    Place(path="deploy/flux/operator.yaml", pattern=r"newTag: ([^\s}]+)"),
    Place(path="README.md", part="docker build", pattern=r"docker build -t \S+/spout-operator:(\S+)"),
    Place(path="README.md", part="docker push", pattern=r"docker push \S+/spout-operator:(\S+)"),
    Place(path="README.md", part="newTag", pattern=r"newTag: ([^\s}]+)"),
)
"""Each place that `make generate` writes."""


def version(root: Path) -> str:
    """The version that pyproject.toml has."""
    return str(tomllib.loads((root / SOURCE).read_text(encoding="utf-8"))["project"].get("version", NOTHING))


def files(root: Path) -> Mapping[Path, str]:
    """Each file that names the version, with its text as it has to be.

    Raises:
        ValueError: pyproject.toml has no version, or a place is gone.
    """
    current, texts = version(root), dict[Path, str]()
    if current == NOTHING:
        raise ValueError(f"{SOURCE} has no version: set project.version")
    for place in PLACES:
        path = root / place.path
        texts[path] = place.written(texts.get(path) or path.read_text(encoding="utf-8"), current)
    return texts
