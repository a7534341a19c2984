"""`make generate` writes every generated file, and `make verify` names each one that is not up to date."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from release.check import ROOT, problems
from release.generate import generated, stale
from release.version import PLACES, SOURCE, Place, files, version

#: What the generators read and write.
FOLDERS = ("benchmarks", "charts", "crds", "deploy", "docs", "operator", "release", "tests")
FILES = ("CHANGELOG.md", "Dockerfile", "README.md", SOURCE)
VERSIONED = {place.path for place in PLACES}
#: The files of which more than the version is generated, in the order of the generators.
WHOLE = [name for path in generated() if (name := str(path.relative_to(ROOT))) not in VERSIONED]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the repository, where every generated file is as it would be generated."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """A copy of the files that name the version."""
    for name in (*VERSIONED, SOURCE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree), str(ROOT / "testbed")])}
    argv = [sys.executable, "-m", "release.generate", *arguments]
    return subprocess.run(argv, cwd=tree, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def edit_by_hand(file: Path) -> None:
    """Change a part of the file that is generated."""
    end = "<!-- end of values -->"
    text = file.read_text()
    file.write_text(text.replace(end, f"| by hand |\n{end}") if end in text else f"{text}by hand\n")


def test_every_generated_file_of_the_repository_is_as_it_would_be_generated() -> None:
    assert stale(generated()) == []


def test_verify_names_each_file_that_was_edited_and_generate_puts_it_back(tree: Path) -> None:
    for name in WHOLE[1:]:
        edit_by_hand(tree / name)
    (tree / WHOLE[0]).unlink()

    verified = run(tree, "--verify")
    assert verified.returncode == 1
    assert verified.stderr.splitlines() == [
        f"{name} is not as it would be generated: run make generate" for name in WHOLE
    ]

    assert run(tree).stdout.splitlines() == [f"wrote {name}" for name in WHOLE]
    assert all((tree / name).read_bytes() == (ROOT / name).read_bytes() for name in WHOLE)
    verified = run(tree, "--verify")
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_a_new_version_in_pyproject_reaches_every_place(tree: Path) -> None:
    current = version(tree)
    project, changelog = tree / SOURCE, tree / "CHANGELOG.md"
    project.write_text(project.read_text().replace(f'\nversion = "{current}"', '\nversion = "9.8.7"', 1))
    changelog.write_text(changelog.read_text().replace(f"## {current}", "## 9.8.7", 1))

    verified = run(tree, "--verify")
    assert verified.returncode == 1
    assert set(re.findall(r"^(\S+) is not as", verified.stderr, re.MULTILINE)) == VERSIONED

    assert run(tree).returncode == 0
    assert version(tree) == "9.8.7"
    assert problems(tree) == []


def test_the_version_is_written_and_the_rest_of_a_file_stays(places: Path) -> None:
    project = places / SOURCE
    project.write_text(re.sub(r'^version = ".*"$', 'version = "9.8.7"', project.read_text(), flags=re.MULTILINE))
    for path, text in files(places).items():
        before, after = path.read_text().splitlines(), text.splitlines()
        changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert changed
        assert all(new == old.replace(version(ROOT), "9.8.7") for old, new in changed)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_place_that_is_gone_is_named(places: Path, place: Place) -> None:
    file = places / place.path
    file.write_text(re.sub(place.pattern, "", file.read_text(), flags=re.MULTILINE))
    with pytest.raises(ValueError, match=rf"^{re.escape(place.name)} names no version"):
        files(places)


def test_a_project_without_a_version_is_an_error(places: Path) -> None:
    project = places / SOURCE
    project.write_text(project.read_text().replace("\nversion = ", "\nother = ", 1))
    with pytest.raises(ValueError, match=r"^pyproject\.toml has no version"):
        files(places)
