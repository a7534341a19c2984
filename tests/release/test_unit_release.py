"""What is released: one version everywhere, workflows that are pinned, a wheel that anybody can make again."""

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

from release.check import ROOT, unpinned, versions

WHEEL_SOURCES = ("operator", "crds", "pyproject.toml", "README.md", "LICENSE")


def test_all_places_name_one_version() -> None:
    assert len(set(versions(ROOT).values())) == 1, versions(ROOT)


def test_every_action_is_pinned_by_a_commit() -> None:
    assert list(unpinned(ROOT / ".github" / "workflows")) == []


@pytest.mark.parametrize(
    "line",
    ["uses: actions/checkout@v4", "uses: actions/checkout@main # v4.0.0", f"uses: actions/checkout@{'a' * 40}"],
    ids=["a tag", "a branch", "a commit without its version"],
)
def test_an_action_that_is_not_pinned_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "ci.yaml").write_text(f"steps:\n  - {line}\n")
    assert list(unpinned(tmp_path)) == [f"ci.yaml:2: - {line}"]


def wheel(folder: Path, umask: int) -> Path:
    """A wheel of a copy of the sources, made in a folder, at a time and with a umask of its own."""
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


def test_the_bill_of_materials_lists_what_is_pinned_and_nothing_else(tmp_path: Path) -> None:
    def made(file: Path) -> str:
        options = ("--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON", "-o", str(file))
        argv = [str(Path(sys.executable).with_name("cyclonedx-py")), "requirements", *options, "requirements.txt"]
        subprocess.run(argv, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - ours
        return file.read_text()

    text = made(tmp_path / "one.json")
    assert text == made(tmp_path / "another.json")
    bill = json.loads(text)
    pinned = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert {one["name"]: one["version"] for one in bill["components"]} == pinned
    assert all(one.get("externalReferences") for one in bill["components"]), "each with the hashes of its files"


def test_the_operator_parses_no_json_into_protobuf() -> None:
    """What limits CVE-2026-0994 (release/advisories.toml)."""
    for file in (ROOT / "operator").rglob("*.py"):
        names = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
        assert not {"ParseDict", "Parse", "parse_json_pipeline_spec", "parse_dict_pipeline_spec"} & names, file
