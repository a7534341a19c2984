"""The key of a build depends on everything that it is made from."""

from pathlib import Path

import pytest

from spout_testbed import recipes, versions
from spout_testbed.cache import cache_key, cache_root, run_folder


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "go.mod", tmp_path / "go.sum"]
    for path in paths:
        path.write_text(f"content of {path.name}\n")
    return paths


def test_the_same_inputs_have_the_same_key(inputs: list[Path]) -> None:
    assert cache_key(inputs=inputs, facts=["go1.26"]) == cache_key(inputs=inputs, facts=["go1.26"])


@pytest.mark.parametrize("changed", [0, 1], ids=["go.mod", "go.sum"])
def test_a_changed_file_changes_the_key(inputs: list[Path], changed: int) -> None:
    before = cache_key(inputs=inputs, facts=[])
    inputs[changed].write_text("something else\n")
    assert cache_key(inputs=inputs, facts=[]) != before


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (["go1.27", "-trimpath"], "another compiler"),
        (["go1.26"], "a flag less"),
        (["-trimpath", "go1.26"], "another order"),
        (["go1.26-trimpath"], "two facts run together"),
    ],
)
def test_a_changed_fact_changes_the_key(inputs: list[Path], facts: list[str], reason: str) -> None:
    assert cache_key(inputs=inputs, facts=facts) != cache_key(inputs=inputs, facts=["go1.26", "-trimpath"]), reason


def test_content_moved_between_files_changes_the_key(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("ab")
    two.write_text("")
    before = cache_key(inputs=[one, two], facts=[])
    one.write_text("a")
    two.write_text("b")
    assert cache_key(inputs=[one, two], facts=[]) != before


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "spout-operator" / "testbed"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_root() == tmp_path / "home" / ".cache" / "spout-operator" / "testbed"
    assert run_folder() == cache_root() / "run"


def test_the_servers_are_built_from_pinned_sources() -> None:
    for recipe in (
        recipes.etcd_recipe(),
        recipes.kubernetes_recipe(),
        *map(recipes.pachyderm_recipe, versions.PACHYDERM),
    ):
        assert recipe.inputs == ("go.mod", "go.sum")
        assert "-mod=readonly" in " ".join(recipe.command)
        assert all((recipe.sources / name).is_file() for name in recipe.inputs)
    kafka = recipes.kafka_recipe()
    assert kafka.checksums == "jars.sha256"
    assert len((kafka.sources / kafka.checksums).read_text().splitlines()) > 50


def test_kubectl_is_built_only_where_the_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name == "kubectl" else None)
    with_kubectl = recipes.kubernetes_recipe()
    monkeypatch.setattr("shutil.which", lambda _name: None)
    without = recipes.kubernetes_recipe()
    assert not any(part.endswith("/kubectl") for part in with_kubectl.command)
    assert without.command[-1].endswith("/kubectl")
    assert with_kubectl.folder() != without.folder()
