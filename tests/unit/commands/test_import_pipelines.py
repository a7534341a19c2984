"""`spout-operator import` as its user sees it: what is written where, what is said, and the exit status."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from spout_operator.cli import main
from tests.unit.importing.test_translation import a_document


def run(*arguments: str | Path, standard_input: str | bytes = "") -> Result:
    """The command, in this process."""
    return CliRunner().invoke(main, ["import", *map(str, arguments)], input=standard_input)


def a_file(folder: Path, *documents: object, name: str = "specs.json") -> Path:
    """A file of documents in a row."""
    file = folder / name
    file.write_text("\n".join(json.dumps(document) for document in documents))
    return file


def names_in(text: str) -> Sequence[str]:
    """The names of the Spouts in manifests."""
    return [body["metadata"]["name"] for body in yaml.safe_load_all(text)]


EDGES = {"pipeline": {"name": "edges"}, "transform": {"image": "a"}, "input": {"pfs": {"repo": "images"}}}


def test_one_manifest_for_each_pipeline_of_each_file_on_standard_output(tmp_path: Path) -> None:
    one = a_file(tmp_path, a_document("a"), a_document("b"))
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump_all([a_document("c"), a_document("d")]))

    result = run(one, "-", other, standard_input=json.dumps([a_document("e")]))

    assert (result.exit_code, result.stderr) == (0, "")
    assert names_in(result.stdout) == ["a", "b", "e", "c", "d"]
    assert result.stdout.startswith("---\napiVersion: spout-operator.io/v1alpha1\nkind: Spout\n")


def test_a_file_for_each_manifest_in_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "spouts"

    result = run(a_file(tmp_path, a_document("a"), a_document("kafka_spout")), "--output", folder)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [str(folder / "a.yaml"), str(folder / "kafka-spout.yaml")]
    assert {file.name: names_in(file.read_text()) for file in folder.iterdir()} == {
        "a.yaml": ["a"],
        "kafka-spout.yaml": ["kafka-spout"],
    }


def test_a_file_that_exists_stays_and_the_others_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mine")

    result = run(a_file(tmp_path, a_document("a"), a_document("b")), "-o", tmp_path)

    assert result.exit_code == 1
    assert result.stderr.endswith(f"document 1: {tmp_path / 'a.yaml'} exists; --overwrite replaces it\n")
    assert (tmp_path / "a.yaml").read_text() == "mine"
    assert names_in((tmp_path / "b.yaml").read_text()) == ["b"]


def test_overwrite_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mine")

    result = run(a_file(tmp_path, a_document("a")), "-o", tmp_path, "--overwrite")

    assert (result.exit_code, result.stderr) == (0, "")
    assert names_in((tmp_path / "a.yaml").read_text()) == ["a"]


def test_a_pipeline_that_is_no_spout_is_named_and_has_an_exit_status_of_its_own(tmp_path: Path) -> None:
    file = a_file(tmp_path, EDGES, a_document("a"))

    result = run(file)

    assert result.exit_code == 3
    assert names_in(result.stdout) == ["a"]
    assert result.stderr == (f"Warning: {file}, document 1: the pipeline 'edges' is no spout: it has an input (pfs)\n")


def test_a_failure_counts_more_than_a_pipeline_that_is_no_spout(tmp_path: Path) -> None:
    nothing: dict[str, object] = {}

    assert run(a_file(tmp_path, EDGES, nothing)).exit_code == 1
    assert run(a_file(tmp_path, nothing, EDGES)).exit_code == 1


def file_with(content: bytes) -> Any:
    def made(folder: Path) -> Path:
        file = folder / "file"
        file.write_bytes(content)
        return file

    return made


def large_file(folder: Path) -> Path:
    """100 MB, without the time to write them."""
    file = folder / "file"
    with file.open("wb") as opened:
        opened.truncate(100_000_000)
    return file


BAD_FILES = [
    (lambda folder: folder / "file", "cannot be read: No such file or directory"),
    (lambda folder: folder, "is a folder; name its files, for example FOLDER/*.json"),
    (file_with(b""), "holds no pipeline spec"),
    (file_with(b"\x7fELF\x00\x01"), "is a binary file; expected JSON or YAML"),
    (file_with(b"\xff\xd8"), "is no text in UTF-8 (byte 1); expected JSON or YAML"),
    (file_with(b"Name: my-spout\nState: running\n"), "is no pipeline spec: it does not name a pipeline; expected"),
    (file_with(b"hello"), "is no pipeline spec, which is an object with the fields pipeline, transform and spout"),
    (file_with(b'{"env": {\n"A": "hunter2"\n}\n"secrets": []}'), "is no JSON: line 4, column 1: Expecting ','"),
    (large_file, "is larger than 16 MiB; split it into several files"),
]


@pytest.mark.parametrize(("made", "says"), BAD_FILES, ids=[row[1][:40] for row in BAD_FILES])
def test_a_bad_file_is_told_and_the_next_one_is_imported(made: Any, says: str, tmp_path: Path) -> None:
    bad = made(tmp_path)
    good = a_file(tmp_path, a_document("a"), name="good.json")

    result = run(bad, good)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {bad}: {says}")
    assert "hunter2" not in result.stderr
    assert names_in(result.stdout) == ["a"]


def test_an_endless_standard_input_is_not_read_to_its_end() -> None:
    result = run("-", standard_input=b" " * (17 * 1024 * 1024))

    assert (result.exit_code, result.stderr) == (
        1,
        "Error: standard input: is larger than 16 MiB; split it into several files\n",
    )


def test_a_pipeline_that_is_there_twice_is_imported_once(tmp_path: Path) -> None:
    one, other = a_file(tmp_path, a_document("a"), name="1"), a_file(tmp_path, a_document("a"), name="2")

    result = run(one, other)

    assert result.exit_code == 1
    assert result.stderr == f"Error: {other}: the pipeline 'a' is there twice, first in {one}; remove one of them\n"
    assert names_in(result.stdout) == ["a"]


def test_two_pipelines_that_would_become_spouts_of_one_name_are_told(tmp_path: Path) -> None:
    file = a_file(tmp_path, a_document("kafka-spout"), a_document("kafka_spout"))

    result = run(file)

    assert result.exit_code == 1
    assert names_in(result.stdout) == ["kafka-spout"]
    assert (
        f"the pipeline 'kafka_spout' would become a Spout of the name 'kafka-spout', as the pipeline 'kafka-spout' "
        f"does in {file}, document 1"
    ) in result.stderr


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")

    result = run(a_file(tmp_path, a_document("a")), "-o", tmp_path / "taken" / "below")

    assert result.exit_code == 1
    assert f"{tmp_path / 'taken' / 'below' / 'a.yaml'} cannot be written: Not a directory" in result.stderr


USAGE = [
    ((), "Name the files to import ('-' for standard input), or use --from-server."),
    (("-", "--from-server"), "Name the files to import ('-' for standard input), or use --from-server."),
    (("--from-server",), "--from-server needs --pachd-address."),
    (("-", "--overwrite"), "--overwrite needs --output."),
]


@pytest.mark.parametrize(("arguments", "says"), USAGE)
def test_wrong_usage_has_the_exit_status_2(
    arguments: Sequence[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPOUT_OPERATOR_PACHD_ADDRESS", raising=False)

    result = run(*arguments)

    assert result.exit_code == 2
    assert says in result.stderr


def test_an_address_that_is_none_is_told() -> None:
    result = run("--from-server", "--pachd-address", "pachd:650")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: found the Pachyderm address 'pachd:650'; expected grpc://HOST:PORT")


def test_a_pachyderm_that_does_not_answer_is_told() -> None:
    result = run("--from-server", "--pachd-address", "grpc://127.0.0.1:1")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "the Pachyderm at grpc://127.0.0.1:1 did not answer" in result.stderr


def test_the_command_line_answers_without_what_only_an_import_needs() -> None:
    heavy = ["yaml", "asyncio", "grpc", "kopf", "kubernetes", "spout_operator.importing"]
    program = f"import sys, spout_operator.cli; print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert done.stdout.strip() == "[]"


def test_files_are_imported_without_the_clients_of_kubernetes_and_pachyderm(tmp_path: Path) -> None:
    heavy = ["asyncio", "grpc", "kopf", "kubernetes"]
    program = f"""
import contextlib, sys
from spout_operator.cli import main
with contextlib.suppress(SystemExit):
    main(["import", sys.argv[1]])
print([name for name in {heavy} if name in sys.modules])
"""

    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", program, a_file(tmp_path, a_document("a"))], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_help_tells_every_exit_status() -> None:
    text = run("--help").stdout

    assert [line.split()[0] for line in text.partition("Exit status:")[2].splitlines()[1:5]] == ["0", "1", "2", "3"]
