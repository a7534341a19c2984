"""Which adapter serves: the one that knows the server's version, chosen anew when the server has changed."""

import dataclasses
import functools

import pytest

from spout_operator.core.errors import SpoutError, Stalled, Unreachable
from spout_operator.core.model import Owner, PipelineName, PipelineSpec
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Server
from spout_operator.pachyderm.selection import SelectedPachyderm
from tests.builders import CAPABILITIES, a_name, a_spec, an_owner
from tests.fakes.memory_pipelines import MemoryPipelines


@dataclasses.dataclass
class AServer:
    """What all adapters are connected to."""

    version: str = "one"
    down: SpoutError | None = None


class Adapter(MemoryPipelines):
    """Knows one version."""

    def __init__(self, server: AServer, version: str) -> None:
        super().__init__(dataclasses.replace(CAPABILITIES, marker=version == "one"))
        self._server = server
        self.version = version

    async def server(self) -> Server:
        if self._server.down is not None:
            raise self._server.down
        if self._server.version != self.version:
            raise Stalled(Reason.UNSUPPORTED_PACHYDERM, f"is no {self.version}")
        return dataclasses.replace(await super().server(), version=self.version)

    async def create(self, name: PipelineName, spec: PipelineSpec, owner: Owner) -> int | None:
        await self.server()
        return await super().create(name, spec, owner)


@pytest.fixture
def server() -> AServer:
    return AServer()


@pytest.fixture
def adapters(server: AServer) -> dict[str, Adapter]:
    return {version: Adapter(server, version) for version in ("one", "two")}


@pytest.fixture
def selected(adapters: dict[str, Adapter]) -> SelectedPachyderm:
    return SelectedPachyderm([functools.partial(adapters.__getitem__, version) for version in adapters])


@pytest.mark.parametrize("version", ["one", "two"])
async def test_the_adapter_that_knows_the_version_serves(
    server: AServer, adapters: dict[str, Adapter], selected: SelectedPachyderm, version: str
) -> None:
    server.version = version

    found = await selected.server()
    await selected.create(a_name(), a_spec(), an_owner())

    assert (found.version, found.capabilities) == (version, (await adapters[version].server()).capabilities)
    assert {name for name, adapter in adapters.items() if adapter.calls["create"]} == {version}


async def test_an_adapter_that_does_not_serve_is_not_made(server: AServer) -> None:
    made: list[str] = []

    def make(version: str) -> Adapter:
        made.append(version)
        return Adapter(server, version)

    selected = SelectedPachyderm([lambda: make("one"), lambda: make("two")])
    await selected.server()
    await selected.list()

    assert made == ["one"]


async def test_an_upgrade_while_the_operator_runs_changes_the_adapter(
    server: AServer, adapters: dict[str, Adapter], selected: SelectedPachyderm
) -> None:
    await selected.server()
    server.version = "two"

    with pytest.raises(Stalled, match="is no one"):
        await selected.create(a_name(), a_spec(), an_owner())
    assert (await selected.server()).version == "two"
    await selected.create(a_name(), a_spec(), an_owner())

    assert (adapters["one"].calls["create"], adapters["two"].calls["create"]) == (0, 1)


async def test_a_version_that_no_adapter_knows_is_told_by_the_one_that_served(
    server: AServer, selected: SelectedPachyderm
) -> None:
    server.version = "three"

    with pytest.raises(Stalled, match="is no one") as error:
        await selected.server()

    assert error.value.reason is Reason.UNSUPPORTED_PACHYDERM


async def test_an_outage_changes_nothing(server: AServer, selected: SelectedPachyderm) -> None:
    server.version = "two"
    await selected.server()
    server.down = Unreachable("down")
    with pytest.raises(Unreachable):
        await selected.server()
    server.down = None

    assert (await selected.server()).version == "two"
