"""`spout-operator run-local` as a user calls it: what it prints, what it leaves, and its exit code."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from spout_operator.bridge.folder import FolderStore
from spout_testbed.harness.bodies import a_spout

#: Counts on from the marker, and commits data and marker in one archive. It waits for each commit: code that runs ahead
#: can have written all that a test asks for before it is killed.
COUNT = """
pfs=${SPOUT_PFS:-/pfs}; work=$(mktemp -d); n=$(cat $pfs/offset 2>/dev/null || echo 0); echo "from $n"
while [ "$n" -lt "${LIMIT:-1000}" ]; do
  n=$((n+1)); rm -f $work/*; echo $n > $work/data-$n; echo $n > $work/offset
  until tar -cf $pfs/out -C $work data-$n offset; do :; done
  until [ "$(cat $pfs/offset 2>/dev/null)" = "$n" ]; do sleep 0.01; done
done
"""


def manifest(folder: Path, script: str = COUNT, **changes: Any) -> Path:
    """A Spout that runs a shell script; `changes` have `__` for the dots of a path."""
    spec = {"transform.cmd": ["sh", "-c", script], "spout.marker": "offset"}
    file = folder / "spout.yaml"
    file.write_text(
        yaml.safe_dump(a_spout({**spec, **{path.replace("__", "."): new for path, new in changes.items()}}))
    )
    return file


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Call run-local in `folder`."""
    return subprocess.run(  # noqa: S603 - the program under test
        [sys.executable, "-m", "spout_operator", "run-local", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def events(result: subprocess.CompletedProcess[str], kind: str) -> list[dict[str, Any]]:
    """The JSON lines of one kind."""
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return [line for line in lines if line["event"] == kind]


def resumed(result: subprocess.CompletedProcess[str]) -> int:
    """Where the second life of `COUNT` went on; the first began at 0."""
    first, second = (line["message"] for line in events(result, "output"))
    assert first == "from 0"
    return int(second.removeprefix("from "))


def test_it_prints_each_commit_and_marker_and_why_it_ends(tmp_path: Path) -> None:
    result = run(tmp_path, manifest(tmp_path), "--commits", 2)
    assert result.returncode == 0, result
    lines = result.stdout.splitlines()
    # It comes through a pipe of its own, so it can be printed after a commit.
    lines.remove("my-spout | from 0")
    assert lines == [
        "my-spout: running sh; the commits are in spout-data/my-spout",
        "commit 0001: 1 file, 2 bytes",
        "marker offset: 1",
        "commit 0002: 1 file, 2 bytes",
        "marker offset: 2",
        "ended: --commits 2; commits made: 2",
    ]
    out = tmp_path / "spout-data/my-spout"
    assert (out / "commits/0002/files/data-2").read_text() == "2\n"
    assert (out / "marker/offset").read_text() == "2\n"
    assert [json.loads(line)["commit"] for line in (out / "commits.jsonl").read_text().splitlines()] == ["0001", "0002"]


def test_code_that_is_killed_resumes_from_the_newest_marker(tmp_path: Path) -> None:
    result = run(tmp_path, manifest(tmp_path), "--commits", 5, "--crash-after", 3, "--json")
    assert result.returncode == 0, result
    assert resumed(result) >= 3, "an archive that was whole when the command was killed is committed, too"
    assert [line["value"] for line in events(result, "marker")] == ["1", "2", "3", "4", "5"]


def test_a_second_run_goes_on_and_a_fresh_one_starts_over(tmp_path: Path) -> None:
    spout = manifest(tmp_path)
    run(tmp_path, spout, "--commits", 2)
    resumed = run(tmp_path, spout, "--commits", 1, "--json")
    fresh = run(tmp_path, spout, "--commits", 1, "--fresh", "--json")
    assert [events(result, "commit")[0]["commit"] for result in (resumed, fresh)] == ["0003", "0001"]


@pytest.mark.parametrize(
    ("script", "arguments", "code", "says"),
    [
        ("exit 0", [], 0, "ended: the command exited with 0, and a worker does not start it again"),
        ("exit 0", ["--commits", "1"], 5, "the command exited with 0 before the last commit"),
        ("sleep 60", ["--timeout", "0.3"], 6, "ended: --timeout 0.3"),
        ("kill -9 $$", ["--timeout", "3"], 6, "the command ended with signal 9; it starts again in 0.5 s"),
    ],
    ids=["ends", "ends too early", "hangs", "crashes"],
)
def test_why_it_ends(tmp_path: Path, script: str, arguments: Sequence[str], code: int, says: str) -> None:
    result = run(tmp_path, manifest(tmp_path, script), *arguments)
    assert (result.returncode, says in result.stdout) == (code, True), result


def test_a_command_that_only_fails_is_given_up_after_growing_pauses(tmp_path: Path) -> None:
    result = run(tmp_path, manifest(tmp_path, "exit 7"), "--json")
    assert result.returncode == 5
    pauses = [line["message"].rpartition(" in ")[2] for line in events(result, "restart")]
    assert pauses == ["0.5 s", "1 s", "2 s", "4 s"]
    assert "failed 5 times in a row without a commit, the last with exit status 7" in result.stdout


def test_an_invalid_spout_is_refused_in_the_words_of_the_api_server(tmp_path: Path) -> None:
    result = run(tmp_path, manifest(tmp_path, spout__marker="a/b"))
    assert result.returncode == 3
    assert (
        "spec.spout.marker: Invalid value: \"a/b\": marker 'a/b' is a path, which Pachyderm's worker" in result.stderr
    )
    assert not (tmp_path / "spout-data").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is no YAML file that can be read"),
        ("kind: ConfigMap", "holds no Spout; expected apiVersion spout-operator.io/v1alpha1 and kind Spout"),
    ],
)
def test_a_file_without_a_spout(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    result = run(tmp_path, "x.yaml")
    assert (result.returncode, says in result.stderr) == (3, True), result


def test_of_several_spouts_one_is_named(tmp_path: Path) -> None:
    bodies = [a_spout({"transform.cmd": ["true"]}, name=name) for name in ("one", "two")]
    (tmp_path / "x.yaml").write_text(yaml.safe_dump_all(bodies))
    assert "holds 2 Spouts; choose one with --name: one, two" in run(tmp_path, "x.yaml").stderr
    assert "holds no Spout 'three'; it holds one, two" in run(tmp_path, "x.yaml", "--name", "three").stderr
    assert "two: running true" in run(tmp_path, "x.yaml", "--name", "two").stdout


def test_a_program_that_is_not_here_cannot_be_started(tmp_path: Path) -> None:
    result = run(tmp_path, manifest(tmp_path, transform__cmd=["no-such-program"]))
    assert result.returncode == 4
    assert "spec.transform.cmd: the program 'no-such-program' is not on this machine" in result.stderr


def test_the_environment_and_a_secret_as_a_variable(tmp_path: Path) -> None:
    secret = tmp_path / "kafka"
    secret.mkdir()
    (secret / "password").write_text("hidden")
    spout = manifest(
        tmp_path,
        'echo "$HOST $PORT ${#PASSWORD}"',
        transform__env={"HOST": "a", "PORT": "1"},
        transform__secrets=[{"name": "kafka", "key": "password", "envVar": "PASSWORD"}],
    )
    result = run(tmp_path, spout, "--env", "HOST=b", "--secret", "kafka=kafka")
    assert "my-spout | b 1 6" in result.stdout
    missing = run(tmp_path, spout)
    assert (missing.returncode, "--secret kafka=FOLDER" in missing.stderr) == (4, True)
    assert "names kafka; give each Secret as a folder" in missing.stderr


def test_the_second_run_on_one_folder_is_told_who_has_it(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "out", overwrite=False)
    try:
        result = run(tmp_path, manifest(tmp_path), "--out", "out")
    finally:
        store.close()
    assert (result.returncode, "uses this folder; end it, or choose another folder" in result.stderr) == (7, True)


def test_fresh_does_not_remove_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis").write_text("mine")
    result = run(tmp_path, manifest(tmp_path), "--out", "out", "--fresh")
    assert (result.returncode, (tmp_path / "out/thesis").read_text()) == (7, "mine")


def test_it_starts_without_the_clients_of_a_cluster() -> None:
    code = (
        "import sys; import spout_operator.cli, spout_operator.local.runner, spout_operator.local.plan; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'kopf', 'kubernetes', 'grpc', 'aiohttp'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - fixed code
    assert found.stdout.strip() == "[]"
