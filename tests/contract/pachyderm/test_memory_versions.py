"""The adapter writes only to the version of Pachyderm that this suite runs against."""

from collections.abc import Callable

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.reasons import Reason
from spout_operator.pachyderm.v1.backend import PachydermV1
from tests.contract.pachyderm.harness import OWNER, SPEC, Port, Side
from tests.memory_pachd import MemoryPachd

WRITES: dict[str, Callable[[Port, str, str], object]] = {
    "create": lambda port, _name, new: port.create(new, SPEC, OWNER),
    "update": lambda port, name, _new: port.update(name, SPEC, OWNER),
    "start": lambda port, name, _new: port.start(name),
    "stop": lambda port, name, _new: port.stop(name),
    "delete": lambda port, name, _new: port.delete(name, keep_repo=False),
    "delete-keep-repo": lambda port, name, _new: port.delete(name, keep_repo=True),
}
METHODS = {"CreatePipeline", "StartPipeline", "StopPipeline", "DeletePipeline"}


@pytest.mark.parametrize(
    ("version", "says", "reason"),
    [
        ("1.9.0", "upgrade Pachyderm to 1.13.4", "years older"),
        ("1.12.5", "upgrade Pachyderm to 1.13.4", "the minor version before"),
        ("1.13.0", "upgrade Pachyderm to 1.13.4", "an earlier patch release"),
        ("1.13.3", "upgrade Pachyderm to 1.13.4", "the patch release before"),
        ("1.13.5", "works with Pachyderm 1.13.4 and 2.8 to 2.12", "a later patch release"),
        ("1.14.0", "works with Pachyderm 1.13.4 and 2.8 to 2.12", "a later minor version"),
        ("2.12.2", "works with Pachyderm 1.13.4 and 2.8 to 2.12", "a later major version that speaks as a 1.x"),
    ],
)
def test_an_unsupported_version_is_read_and_never_written_to(
    memory_side: Side, pachd: MemoryPachd, version: str, says: str, reason: str
) -> None:
    name, new = memory_side.created(), memory_side.new_name()
    pachd.calls.reset()
    pachd.become(version)
    port = Port(PachydermV1(memory_side.connection))

    for write in WRITES.values():
        with pytest.raises(Stalled, match=says) as caught:
            write(port, name, new)
        assert caught.value.reason is Reason.UNSUPPORTED_PACHYDERM, reason
        assert f"is of version {version}" in caught.value.message, reason
    with pytest.raises(Stalled, match=says):
        port.server()

    assert not METHODS & set(pachd.calls), reason
    assert port.observe(name) is not None, "it can still be observed"


@pytest.mark.parametrize("version", ["1.13.4", "1.13.4-6a3d1c0", "1.13.4rc1"])
def test_every_build_of_the_supported_version_is_accepted(memory_side: Side, pachd: MemoryPachd, version: str) -> None:
    pachd.become(version)

    assert memory_side.port.server().version == version
    assert memory_side.port.create(memory_side.new_name(), SPEC, OWNER)


@pytest.mark.parametrize("write", WRITES)
def test_the_version_is_asked_before_the_first_write(memory_side: Side, pachd: MemoryPachd, write: str) -> None:
    name, new = memory_side.created(), memory_side.new_name()
    pachd.calls.reset()

    WRITES[write](Port(PachydermV1(memory_side.connection)), name, new)

    assert pachd.calls["GetVersion"] == 1


def test_a_server_that_changes_its_version_is_noticed_before_the_next_write(
    memory_side: Side, pachd: MemoryPachd
) -> None:
    name = memory_side.created()
    memory_side.port.server()
    pachd.stop()
    pachd.become("1.14.0")
    pachd.start()
    pachd.calls.reset()

    # A Pod of another version can replace pachd between two calls without a failed call in between.
    with pytest.raises(Stalled, match=r"1\.14\.0"):
        memory_side.port.stop(name)
    with pytest.raises(Stalled, match=r"1\.14\.0"):
        memory_side.port.server()

    assert pachd.calls["StopPipeline"] == 0


def test_a_server_that_was_upgraded_to_the_supported_version_is_written_to(
    memory_side: Side, pachd: MemoryPachd
) -> None:
    pachd.become("1.13.3")
    with pytest.raises(Stalled):
        memory_side.port.create(memory_side.new_name(), SPEC, OWNER)

    pachd.become("1.13.4")

    assert memory_side.port.create(memory_side.new_name(), SPEC, OWNER)
    assert memory_side.port.server().version == "1.13.4"
