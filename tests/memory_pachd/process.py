"""The in-memory pachd as a process of its own, so that its CPU and memory are not those of who measures."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.managers import BaseManager, BaseProxy
from typing import cast

from tests.memory_pachd.server import MemoryPachd


class PachdProcess:
    """What can be asked of it from outside."""

    def __init__(self) -> None:
        self._pachd = MemoryPachd()
        self._pachd.start()

    def address(self) -> str:
        """As the operator's `--pachd-address` takes it."""
        return self._pachd.address

    def calls(self) -> Mapping[str, int]:
        """How often each method was called."""
        return dict(self._pachd.calls)

    def come_up(self, names: list[str]) -> None:
        """These pipelines run, and their workers answer."""
        for name in names:
            self._pachd.come_up(name)

    def commit(self, names: list[str], *, ago: float) -> None:
        """Each of these was made, has made a commit and moved its marker, so many seconds ago."""
        for name in names:
            self._pachd.date_pipeline(name, ago=ago)
            for repo_commit in (self._pachd.append_commit(name), self._pachd.write_marker(name, {"offset": b"1041"})):
                self._pachd.date_commit(name, repo_commit, ago=ago)


class _Manager(BaseManager):
    """Starts it and ends it."""


_Manager.register("Pachd", PachdProcess, BaseProxy, exposed=("address", "calls", "come_up", "commit"))


class Pachd:
    """The other side of `PachdProcess`."""

    def __init__(self, proxy: BaseProxy) -> None:
        self._proxy = proxy

    @property
    def address(self) -> str:
        """As the operator's `--pachd-address` takes it."""
        return cast("str", self._proxy._callmethod("address"))

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each method was called."""
        return cast("Mapping[str, int]", self._proxy._callmethod("calls"))

    def come_up(self, names: list[str]) -> None:
        """These pipelines run, and their workers answer."""
        self._proxy._callmethod("come_up", (names,))

    def commit(self, names: list[str], *, ago: float) -> None:
        """Each of these was made, has made a commit and moved its marker, so many seconds ago."""
        self._proxy._callmethod("commit", (names,), {"ago": ago})


@contextmanager
def running() -> Iterator[Pachd]:
    """A pachd that ends with the block."""
    with _Manager() as manager:
        yield Pachd(manager.Pachd())  # type: ignore[attr-defined] # registered above
