"""Each server is built once, completely or not at all, and a failure says what went wrong."""

import dataclasses
import hashlib
import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spout_testbed import build
from spout_testbed.errors import TestbedError
from spout_testbed.recipes import TARGET, Recipe


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "spout-operator" / "testbed"


def recipe_of(tmp_path: Path, script: str, checksums: str = "") -> Recipe:
    """A recipe that a shell script builds."""
    sources = tmp_path / "sources"
    sources.mkdir(exist_ok=True)
    (sources / "go.mod").write_text(script)
    (sources / "sums").write_text(checksums)
    return Recipe(
        name="etcd",
        about="pretending to build etcd (about 0 s)",
        sources=sources,
        inputs=("go.mod",),
        command=("sh", "-c", script.replace("$TARGET", TARGET)),
        checksums="sums" if checksums else "",
    )


def test_a_build_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    script = f"echo ran >> {shlex.quote(str(runs))}; echo program > $TARGET/server"
    recipe = recipe_of(tmp_path, script)
    build.make([recipe])
    assert (recipe.folder() / "server").read_text() == "program\n"
    assert "pretending to build etcd" in capsys.readouterr().out
    build.make([recipe])
    assert "everything is built" in capsys.readouterr().out
    assert runs.read_text() == "ran\n"


def test_two_builds_at_once_build_once_and_remove_the_rest_of_a_killed_build(tmp_path: Path, own_cache: Path) -> None:
    runs = tmp_path / "runs"
    recipe = recipe_of(tmp_path, f"echo ran >> {shlex.quote(str(runs))}; sleep 0.2")
    (own_cache / ".building" / "etcd" / "target" / "half").mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        for each in [pool.submit(build.make, [recipe]) for _ in range(2)]:
            each.result()
    assert recipe.is_built
    assert runs.read_text() == "ran\n"
    assert list(recipe.folder().iterdir()) == []
    assert [path.name for path in (own_cache / ".building").iterdir()] == ["etcd.lock"]


def test_builds_of_two_recipes_run_beside_each_other(tmp_path: Path) -> None:
    # Each ends only once the other has begun.
    scripts = {"etcd": ("first", "second"), "kafka": ("second", "first")}
    meets = "touch {0}/{1}; timeout 20 sh -c 'until test -e {0}/{2}; do sleep 0.01; done'"
    recipes = [
        dataclasses.replace(
            recipe_of(tmp_path, ""), name=name, command=("sh", "-c", meets.format(shlex.quote(str(tmp_path)), *marks))
        )
        for name, marks in scripts.items()
    ]
    with ThreadPoolExecutor() as pool:
        for each in [pool.submit(build.make, [recipe]) for recipe in recipes]:
            each.result()
    assert all(recipe.is_built for recipe in recipes)


def test_a_build_creates_the_run_folder(tmp_path: Path, own_cache: Path) -> None:
    recipe = recipe_of(tmp_path, "true")
    build.make([recipe])
    assert list((own_cache / "run").iterdir()) == []


def test_a_failed_build_shows_the_end_of_its_log_and_leaves_no_folder(tmp_path: Path, own_cache: Path) -> None:
    recipe = recipe_of(tmp_path, "touch $TARGET/half; seq 100; exit 3")
    with pytest.raises(TestbedError) as raised:
        build.make([recipe])
    message = str(raised.value)
    log = own_cache / "logs" / "etcd.log"
    assert "exit code 3" in message
    assert str(log) in message
    assert message.splitlines()[-1] == "100"
    assert re.findall(r"^\d+$", message, re.MULTILINE) == [str(n) for n in range(71, 101)]
    assert not recipe.is_built
    assert sorted(path.name for path in own_cache.iterdir()) == [".building", "logs", "run"]
    assert [path.name for path in (own_cache / ".building").iterdir()] == ["etcd.lock"]


def test_a_long_build_prints_its_progress(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build.make([recipe_of(tmp_path, "sleep 0.2")], progress_seconds=0.05)
    assert len(re.findall(r"^etcd: 0 s$", capsys.readouterr().out, re.MULTILINE)) >= 2


@pytest.mark.parametrize(
    ("files", "wrong", "reason"),
    [
        ({"a.jar": "a"}, "", "exactly what is listed"),
        ({"a.jar": "b"}, "a.jar", "another content"),
        ({}, "a.jar", "a file is missing"),
        ({"a.jar": "a", "b.jar": "b"}, "b.jar", "a file too many"),
    ],
)
def test_the_fetched_files_are_compared_with_their_checksums(
    tmp_path: Path, files: dict[str, str], wrong: str, reason: str
) -> None:
    listed = f"{hashlib.sha256(b'a').hexdigest()}  a.jar\n"
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    if not wrong:
        build.verify(tmp_path, listed)
        return
    with pytest.raises(TestbedError, match=rf"pinned: {re.escape(wrong)}$"):
        build.verify(tmp_path, listed)


def test_a_fetch_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    listed = f"{hashlib.sha256(b'expected').hexdigest()}  a.jar\n"
    recipe = recipe_of(tmp_path, "printf other > $TARGET/a.jar", checksums=listed)
    with pytest.raises(TestbedError, match=r"a\.jar"):
        build.make([recipe])
    assert not recipe.is_built
