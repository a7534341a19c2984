"""A release has one version everywhere, pinned workflows, and a wheel that anybody can build again."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from release.check import ROOT, problems, unpinned, versions

WHEEL_SOURCES = ("operator", "crds", "pyproject.toml", "README.md", "LICENSE")


#: Each place that names the version, and how it is written there.
PLACES = {
    "pyproject.toml": '\nversion = "{}"',
    "operator/spout_operator/__init__.py": '__version__ = "{}"',
    "Dockerfile": "ARG VERSION={}",
    "charts/spout-operator/Chart.yaml, version": "\nversion: {}",
    "charts/spout-operator/Chart.yaml, appVersion": "\nappVersion: {}",
    "deploy/base/kustomization.yaml": "newTag: {}",
    "deploy/argocd/applications.yaml": "registry.example/spout-operator:{}",
    "deploy/flux/operator.yaml": "newTag: {}",
    "README.md, docker build": "docker build -t REGISTRY/spout-operator:{}",
    "README.md, docker push": "docker push REGISTRY/spout-operator:{}",
    "README.md, newTag": "newTag: {}",
    "CHANGELOG.md": "## {}",
}
RELEASED, NOT_YET = "## 1.2.3 - 2026-12-01", "## 1.2.3 - not released yet"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree whose places all name the version 1.2.3."""
    current = versions(ROOT)["pyproject.toml"]
    for place in PLACES:
        name = place.partition(",")[0]
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text().replace(current, "1.2.3"))
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{NOT_YET}\n")
    return tmp_path


def rewrite(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1, before
    file.write_text(text.replace(before, after))


def test_every_place_names_the_same_version() -> None:
    assert problems(ROOT) == []


def test_the_test_covers_every_place_of_the_version() -> None:
    assert set(versions(ROOT)) == set(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_with_an_old_version_is_reported(tree: Path, place: str) -> None:
    written = PLACES[place]
    rewrite(tree / place.partition(",")[0], written.format("1.2.3"), written.format("1.2.2"))
    assert [line for line in problems(tree) if "1.2.3" not in line] == [f"{place} says 1.2.2"]


@pytest.mark.parametrize("place", PLACES)
def test_a_place_without_a_version_is_reported(tree: Path, place: str) -> None:
    rewrite(tree / place.partition(",")[0], PLACES[place].format("1.2.3"), "")
    assert [line for line in problems(tree) if "1.2.3" not in line] == [f"{place} says nothing"]


@pytest.mark.parametrize(
    ("tag", "changelog", "wanted"),
    [
        (None, NOT_YET, []),
        (None, RELEASED, []),
        ("v1.2.3", RELEASED, []),
        ("v1.3.0", RELEASED, ["the tag is v1.3.0"]),
        ("1.2.3", RELEASED, ["the tag is 1.2.3"]),
        ("v1.2.3-rc.1", RELEASED, ["the tag is v1.2.3-rc.1"]),
        ("", RELEASED, ["the tag is ,"]),
        ("v1.2.3", NOT_YET, ["CHANGELOG.md begins with"]),
        ("v1.2.3", f"## [Unreleased]\n\n{RELEASED}", ["CHANGELOG.md begins with"]),
        ("v1.3.0", NOT_YET, ["the tag is v1.3.0", "CHANGELOG.md begins with"]),
    ],
    ids=[
        "while it is worked on",
        "after its release",
        "its tag",
        "the tag of another version",
        "a tag without v",
        "the tag of a version before it",
        "a tag that is empty",
        "its tag, before the changelog has its day",
        "its tag, with changes above it that are in no version",
        "all of it wrong",
    ],
)
def test_a_tag_equals_the_version_and_needs_a_released_changelog_entry(
    tree: Path, tag: str | None, changelog: str, wanted: list[str]
) -> None:
    (tree / "CHANGELOG.md").write_text(f"# Changelog\n\n{changelog}\n\n## 1.2.2 - 2026-11-01\n")
    found = problems(tree, tag)
    assert len(found) == len(wanted)
    assert all(line.startswith(begin) for line, begin in zip(found, wanted, strict=True)), found


def test_every_action_is_pinned_to_a_commit() -> None:
    assert list(unpinned(ROOT / ".github" / "workflows")) == []


@pytest.mark.parametrize(
    "line",
    ["uses: actions/checkout@v4", "uses: actions/checkout@main # v4.0.0", f"uses: actions/checkout@{'a' * 40}"],
    ids=["a tag", "a branch", "a commit without its version"],
)
def test_an_action_that_is_not_pinned_is_reported(tmp_path: Path, line: str) -> None:
    (tmp_path / "ci.yaml").write_text(f"steps:\n  - {line}\n")
    assert list(unpinned(tmp_path)) == [f"ci.yaml:2: - {line}"]


def wheel(folder: Path, umask: int) -> Path:
    """A wheel of a copy of the sources, built in its own folder, at its own time and with its own umask."""
    for name in WHEEL_SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True)
        else:
            shutil.copy2(source, folder / name)
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            os.utime(file, (1_000_000_000 + umask, 1_000_000_000 + umask))
            file.chmod(0o666 & ~umask)
    argv = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder / "dist"), str(folder)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1763856000", "TZ": "UTC" if umask else "Asia/Tokyo"}
    subprocess.run(argv, check=True, capture_output=True, env=environment)  # noqa: S603 - ours
    (found,) = (folder / "dist").glob("*.whl")
    return found


def test_the_same_sources_make_the_same_wheel_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "another").mkdir()
    one, another = wheel(tmp_path / "one", 0o022), wheel(tmp_path / "another", 0o077)
    assert one.name == another.name
    assert one.read_bytes() == another.read_bytes()
    with zipfile.ZipFile(one) as archive:
        crd = archive.read("spout_operator/kubernetes/crd.yaml")
    assert crd == (ROOT / "crds" / "spouts.spout-operator.io.yaml").read_bytes(), "a file, and no link"


def test_the_bill_of_materials_lists_exactly_the_pinned_packages(tmp_path: Path) -> None:
    def made(file: Path) -> str:
        options = ("--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON", "-o", str(file))
        argv = [str(Path(sys.executable).with_name("cyclonedx-py")), "requirements", *options, "requirements.txt"]
        subprocess.run(argv, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - ours
        return file.read_text()

    text = made(tmp_path / "one.json")
    assert text == made(tmp_path / "another.json")
    bill = json.loads(text)
    pinned = dict(
        re.findall(r"^([\w.-]+)(?:\[[\w.,-]+\])?==([\w.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    )
    assert {one["name"]: one["version"] for one in bill["components"]} == pinned
    assert all(one.get("externalReferences") for one in bill["components"]), "each with the hashes of its files"


#: The module, its parsing functions, and the functions of python-pachyderm that call them.
JSON_FORMAT = {"json_format", "ParseDict", "Parse", "parse_json_pipeline_spec", "parse_dict_pipeline_spec"}


def uses_json_format(source: str) -> bool:
    """Whether any import, name or attribute is one of these."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                names.add(name)
            case ast.alias(name=name) | ast.ImportFrom(module=str(name)):
                names.update(name.split("."))
    return bool(JSON_FORMAT & names)


@pytest.mark.parametrize(
    "source",
    [
        "from google.protobuf import json_format\njson_format.ParseDict({}, message)",
        "from google.protobuf import json_format as other\nother.Parse('', message)",
        "import google.protobuf.json_format as other",
        "from google.protobuf.json_format import ParseDict\nParseDict({}, message)",
        "from google.protobuf.json_format import ParseDict as other\nother({}, message)",
        "from google.protobuf.json_format import *",
        "def late():\n    from google.protobuf.json_format import Parse",
        "import python_pachyderm\npython_pachyderm.parse_dict_pipeline_spec({})",
        "from python_pachyderm import parse_json_pipeline_spec as other\nother('')",
        "from python_pachyderm.util import *\nparse_json_pipeline_spec('')",
    ],
)
def test_each_use_of_json_format_is_found(source: str) -> None:
    assert uses_json_format(source)


@pytest.mark.parametrize(
    "source",
    [
        "import json\njson.loads('{}')",
        "from google.protobuf import message\nmessage.ParseFromString(b'')",
        "from . import parse",
        "'json_format.ParseDict is not called'",
    ],
)
def test_code_without_json_format_is_not_reported(source: str) -> None:
    assert not uses_json_format(source)


def test_the_operator_parses_no_json_into_protobuf() -> None:
    """This limits CVE-2026-0994 (release/advisories.toml)."""
    found = [file for file in (ROOT / "operator").rglob("*.py") if uses_json_format(file.read_text())]
    assert found == []
