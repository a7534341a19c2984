"""The policy file on a disk: what the operator does when it changes, and when it cannot be used."""

import asyncio
import logging
import pathlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from spout_operator.config import ConfigError
from spout_operator.core.policy import Policy
from spout_operator.process.policy_file import PolicyFile
from spout_operator.process.policy_text import LONGEST, read

ONE = "rules:\n- namespaces: [one]\n"
OTHER = "rules:\n- namespaces: [other]\n"
INTERVAL = 0.005


def write(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def remove(path: pathlib.Path) -> None:
    path.unlink()


class Watched:
    """A file that is watched, and the policies that came of it."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.file = PolicyFile(path)
        self.applied: list[Policy] = []

    async def until(self, what: str, is_so: object) -> None:
        assert callable(is_so)
        deadline = asyncio.get_running_loop().time() + 10
        while not is_so():
            found = f"applied {self.applied}, trouble {self.file.trouble!r}"
            assert asyncio.get_running_loop().time() < deadline, f"waited in vain for {what}; {found}"
            await asyncio.sleep(INTERVAL)

    async def has_trouble(self, words: str | None) -> None:
        await self.until(f"the trouble {words!r}", lambda: self.file.trouble == words)

    async def has_read_again(self) -> None:
        before = self.file.last_read
        await self.until("another read", lambda: self.file.last_read != before)


@asynccontextmanager
async def watched(path: pathlib.Path) -> AsyncIterator[Watched]:
    write(path, ONE)
    found = Watched(path)
    task = asyncio.create_task(found.file.watch(found.applied.append, interval=INTERVAL))
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "policy.yaml"


async def test_a_file_that_changes_is_applied_once(path: pathlib.Path) -> None:
    async with watched(path) as found:
        write(path, OTHER)
        await found.until("the other policy", lambda: found.applied)
        await found.has_read_again()
        await found.has_read_again()

    assert found.applied == [read(OTHER)]
    assert found.file.policy == read(OTHER)


async def test_an_edit_that_means_the_same_is_no_new_policy(path: pathlib.Path) -> None:
    async with watched(path) as found:
        write(path, "# by the platform team\n" + ONE)
        await found.has_read_again()
        await found.has_read_again()

    assert found.applied == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda path: path.write_text("rules: [1", encoding="utf-8"),
            "line 1: it is no YAML: expected ',' or ']', but got '<stream end>'",
        ),
        (lambda path: path.write_text("", encoding="utf-8"), "it is empty; write 'rules: []' to allow nothing"),
        (lambda path: path.unlink(), "cannot be read (No such file or directory)"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read (Is a directory)"),
        (lambda path: path.write_bytes(b"rules: \xff"), "it is no UTF-8 text"),
        (
            lambda path: path.write_bytes(b"#" * (LONGEST + 1)),
            "it is longer than 256 KiB; write fewer rules, with globs",
        ),
    ],
    ids=["wrong", "empty", "gone", "a-folder", "no-text", "too-long"],
)
async def test_what_cannot_be_used_leaves_the_last_good_policy_in_force_and_is_told_once(
    path: pathlib.Path, spoil: object, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(spoil)
    async with watched(path) as found:
        spoil(path)
        await found.has_trouble(words)
        await found.has_read_again()
        await found.has_read_again()

    assert found.applied == []
    assert found.file.policy == read(ONE)
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == [f"the policy file {path}: {words}. The last good policy, of 1 rules, stays in force"]


@pytest.mark.parametrize(("text", "applied"), [(ONE, []), (OTHER, [read(OTHER)])], ids=["as-before", "another"])
async def test_a_file_that_is_mended_is_used_again(path: pathlib.Path, text: str, applied: list[Policy]) -> None:
    async with watched(path) as found:
        remove(path)
        await found.has_trouble("cannot be read (No such file or directory)")
        write(path, text)
        await found.has_trouble(None)

    assert found.applied == applied


async def test_a_config_map_that_the_kubelet_changes_is_noticed(tmp_path: pathlib.Path) -> None:
    """The kubelet writes a folder and turns a symbolic link (kubernetes pkg/volume/util/atomic_writer.go)."""
    for name, text in (("..1", ONE), ("..2", OTHER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.yaml").write_text(text, encoding="utf-8")
    link, path = tmp_path / "..data", tmp_path / "policy.yaml"
    link.symlink_to("..1")
    path.symlink_to("..data/policy.yaml")
    file = PolicyFile(path)
    applied: list[Policy] = []
    task = asyncio.create_task(file.watch(applied.append, interval=INTERVAL))
    (tmp_path / "..tmp").symlink_to("..2")
    (tmp_path / "..tmp").rename(link)
    async with asyncio.timeout(10):
        while not applied:  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(INTERVAL)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert applied == [read(OTHER)]


def test_without_a_valid_policy_nothing_starts(path: pathlib.Path) -> None:
    write(path, "rules:\n- namespaces: [a]\n  podPatch: yes\n")

    with pytest.raises(ConfigError) as error:
        PolicyFile(path)

    assert str(error.value) == (
        f"the policy file {path}: line 3: rules[0].podPatch: found 'yes', expected true or false. Without a valid "
        "policy the operator does not start"
    )
