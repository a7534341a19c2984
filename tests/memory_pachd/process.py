"""The in-memory pachd as a process of its own, so that a benchmark does not measure its CPU and memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.managers import BaseManager, BaseProxy
from typing import cast

from tests.memory_pachd.server import MemoryPachd


class PachdProcess:
    """What the process offers to the one that started it."""

    def __init__(self) -> None:
        self._pachd = MemoryPachd()
        self._pachd.start()

    def address(self) -> str:
        """The address for the operator's `--pachd-address`."""
        return self._pachd.address

    def calls(self) -> Mapping[str, int]:
        """How often each method was called."""
        return dict(self._pachd.calls)

    def come_up(self, names: list[str]) -> None:
        """Let these pipelines run, and their workers answer."""
        for name in names:
            self._pachd.come_up(name)

    def commit(self, names: list[str], *, ago: float) -> None:
        """Let each of these pipelines have been created, and have made a commit and a marker, `ago` seconds ago."""
        for name in names:
            self._pachd.date_pipeline(name, ago=ago)
            for repo_commit in (self._pachd.append_commit(name), self._pachd.write_marker(name, {"offset": b"1041"})):
                self._pachd.date_commit(name, repo_commit, ago=ago)


class _Manager(BaseManager):
    """Starts and ends the process."""


_Manager.register("Pachd", PachdProcess, BaseProxy, exposed=("address", "calls", "come_up", "commit"))


class Pachd:
    """The other side of `PachdProcess`."""

    def __init__(self, proxy: BaseProxy) -> None:
        self._proxy = proxy

    @property
    def address(self) -> str:
        """The address for the operator's `--pachd-address`."""
        return cast("str", self._proxy._callmethod("address"))

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each method was called."""
        return cast("Mapping[str, int]", self._proxy._callmethod("calls"))

    def come_up(self, names: list[str]) -> None:
        """Let these pipelines run, and their workers answer."""
        self._proxy._callmethod("come_up", (names,))

    def commit(self, names: list[str], *, ago: float) -> None:
        """Let each of these pipelines have been created, and have made a commit and a marker, `ago` seconds ago."""
        self._proxy._callmethod("commit", (names,), {"ago": ago})


@contextmanager
def running() -> Iterator[Pachd]:
    """A pachd that ends with the block."""
    with _Manager() as manager:
        yield Pachd(manager.Pachd())  # type: ignore[attr-defined] # registered above
