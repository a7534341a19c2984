"""Which adapter serves a connection: the one that knows the server's version, as it is now."""

import datetime
from collections.abc import Callable, Mapping, Sequence

from spout_operator.core.activity import Activity
from spout_operator.core.errors import Stalled
from spout_operator.core.marker import Marker, MarkerLimits
from spout_operator.core.model import Commit, Heads, Owner, Pipeline, PipelineName, PipelineSpec
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Server
from spout_operator.pachyderm.failures import OtherApi
from spout_operator.ports import Pachyderm


class SelectedPachyderm:
    """The port `Pachyderm` over one adapter out of several; see `spout_operator.ports.Pachyderm` for the contract.

    An adapter says itself that it does not know a server (UnsupportedPachyderm), in `server` and before each write.
    Then the others are asked; so an upgrade while the operator runs changes the adapter, and no write reaches a server
    through the wrong one.
    """

    def __init__(self, adapters: Sequence[Callable[[], Pachyderm]]) -> None:
        """Ask nothing yet.

        Args:
            adapters: make the adapters, in the order in which they are tried; at least one. An adapter is made when it
                is tried for the first time, as its SDK costs time and memory.
        """
        self._makers = adapters
        self._made: dict[int, Pachyderm] = {}
        self._selected = 0

    async def server(self) -> Server:
        try:
            return await self._adapter().server()
        except Stalled as error:
            if error.reason is not Reason.UNSUPPORTED_PACHYDERM:
                raise
            unsupported = error
        for number in range(len(self._makers)):
            if number == self._selected:
                continue
            try:
                server = await self._adapter(number).server()
            except Stalled as error:
                if error.reason is not Reason.UNSUPPORTED_PACHYDERM:
                    raise
                if isinstance(unsupported, OtherApi):
                    # This one may know of what version the server is.
                    unsupported = error
                continue
            self._selected = number
            return server
        raise unsupported

    async def observe(self, name: PipelineName) -> Pipeline | None:
        return await self._adapter().observe(name)

    async def list(self) -> Mapping[PipelineName, Pipeline]:
        return await self._adapter().list()

    async def check(self, name: PipelineName, spec: PipelineSpec) -> None:
        await self._adapter().check(name, spec)

    async def create(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int | None:
        return await self._adapter().create(name, spec, owner)

    async def update(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int:
        return await self._adapter().update(name, spec, owner)

    async def take_over(self, name: PipelineName, owner: Owner) -> None:
        await self._adapter().take_over(name, owner)

    async def start(self, name: PipelineName) -> None:
        await self._adapter().start(name)

    async def stop(self, name: PipelineName) -> None:
        await self._adapter().stop(name)

    async def delete(self, name: PipelineName, *, keep_repo: bool) -> None:
        await self._adapter().delete(name, keep_repo=keep_repo)

    async def heads(self, name: PipelineName) -> Heads:
        return await self._adapter().heads(name)

    async def recently_committed(self) -> frozenset[PipelineName] | None:
        return await self._adapter().recently_committed()

    async def finish(self, name: PipelineName, commit: str) -> None:
        await self._adapter().finish(name, commit)

    async def commits(self, name: PipelineName, head: str, *, since: str | None, most: int) -> Sequence[Commit]:
        return await self._adapter().commits(name, head, since=since, most=most)

    async def marker(self, name: PipelineName, path: str, head: str, *, limits: MarkerLimits) -> Marker | None:
        return await self._adapter().marker(name, path, head, limits=limits)

    async def activity(self, name: PipelineName, *, since: datetime.datetime | None, last_lines: int = 0) -> Activity:
        return await self._adapter().activity(name, since=since, last_lines=last_lines)

    def close(self) -> None:
        for adapter in self._made.values():
            adapter.close()

    async def ended(self) -> None:
        for adapter in self._made.values():
            await adapter.ended()

    def _adapter(self, number: int | None = None) -> Pachyderm:
        number = self._selected if number is None else number
        if number not in self._made:
            self._made[number] = self._makers[number]()
        return self._made[number]
