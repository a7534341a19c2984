"""The adapter writes only to the version of Pachyderm that this suite runs against."""

import re
from collections.abc import Callable

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.reasons import Reason
from tests.contract.pachyderm.harness import OWNER, PLAIN, Port, Side
from tests.memory_pachd import MemoryPachd
from tests.memory_pachd.two import MemoryPachd2

WRITES: dict[str, Callable[[Port, str, str], object]] = {
    "create": lambda port, _name, new: port.create(new, PLAIN, OWNER),
    "update": lambda port, name, _new: port.update(name, PLAIN, OWNER),
    "start": lambda port, name, _new: port.start(name),
    "stop": lambda port, name, _new: port.stop(name),
    "delete": lambda port, name, _new: port.delete(name, keep_repo=False),
    "delete-keep-repo": lambda port, name, _new: port.delete(name, keep_repo=True),
}
METHODS = {"CreatePipeline", "CreatePipelineV2", "StartPipeline", "StopPipeline", "DeletePipeline", "FinishCommit"}


ONE, TWO = "memory-1.13", "memory-2.12"


@pytest.mark.parametrize(
    ("pachd", "version", "says", "reason"),
    [
        (ONE, "1.9.0", "upgrade Pachyderm to 1.13.4", "years older"),
        (ONE, "1.12.5", "upgrade Pachyderm to 1.13.4", "the minor version before"),
        (ONE, "1.13.0", "upgrade Pachyderm to 1.13.4", "an earlier patch release"),
        (ONE, "1.13.3", "upgrade Pachyderm to 1.13.4", "the patch release before"),
        (ONE, "1.13.5", "works with Pachyderm 1.13.4 and 2.8 to 2.12", "a later patch release"),
        (ONE, "1.14.0", "works with Pachyderm 1.13.4 and 2.8 to 2.12", "a later minor version"),
        (ONE, "2.12.2", "works with Pachyderm 1.13.4 and 2.8 to 2.12", "a later major version that speaks as a 1.x"),
        (TWO, "2.0.8", "upgrade Pachyderm to 2.8 or later", "the first minor version"),
        (TWO, "2.7.9", "upgrade Pachyderm to 2.8 or later", "the minor version before the oldest"),
        (TWO, "2.13.0", "works with Pachyderm 1.13.4 and 2.8 to 2.12", "a later minor version"),
        (TWO, "3.8.0", "works with Pachyderm 1.13.4 and 2.8 to 2.12", "a later major version"),
    ],
    indirect=["pachd"],
)
def test_an_unsupported_version_is_read_and_never_written_to(
    memory_side: Side, pachd: MemoryPachd | MemoryPachd2, version: str, says: str, reason: str
) -> None:
    name, new = memory_side.created(), memory_side.new_name()
    pachd.calls.reset()
    pachd.become(version)
    port = memory_side.connect()

    for write in WRITES.values():
        with pytest.raises(Stalled, match=says) as caught:
            write(port, name, new)
        assert caught.value.reason is Reason.UNSUPPORTED_PACHYDERM, reason
        assert f"is of version {version}" in caught.value.message, reason
    with pytest.raises(Stalled, match=says):
        port.server()

    assert not METHODS & set(pachd.calls), reason
    assert port.observe(name) is not None, "it can still be observed"


@pytest.mark.parametrize(
    ("pachd", "version"),
    [
        (ONE, "1.13.4"),
        (ONE, "1.13.4-6a3d1c0"),
        (ONE, "1.13.4rc1"),
        (TWO, "2.8.0"),
        (TWO, "2.10.3"),
        (TWO, "2.12.2"),
        (TWO, "2.12.2-6a3d1c0"),
    ],
    indirect=["pachd"],
)
def test_every_build_of_a_supported_version_is_accepted(
    memory_side: Side, pachd: MemoryPachd | MemoryPachd2, version: str
) -> None:
    pachd.become(version)

    assert memory_side.port.server().version == version
    assert memory_side.port.create(memory_side.new_name(), PLAIN, OWNER)


@pytest.mark.parametrize("write", WRITES)
def test_the_version_is_asked_before_the_first_write(
    memory_side: Side, pachd: MemoryPachd | MemoryPachd2, write: str
) -> None:
    name, new = memory_side.created(), memory_side.new_name()
    pachd.calls.reset()

    WRITES[write](memory_side.connect(), name, new)

    assert pachd.calls["GetVersion"] == 1


OTHERS = [pytest.param(ONE, "1.13.4", "1.14.0", id="1.13"), pytest.param(TWO, "2.12.2", "2.13.0", id="2.12")]


@pytest.mark.parametrize(("pachd", "known", "other"), OTHERS, indirect=["pachd"])
def test_a_server_that_changes_its_version_is_noticed_before_the_next_write(
    memory_side: Side, pachd: MemoryPachd | MemoryPachd2, known: str, other: str
) -> None:
    name = memory_side.created()
    assert memory_side.port.server().version == known
    pachd.stop()
    pachd.become(other)
    pachd.start()
    pachd.calls.reset()

    # A Pod of another version can replace pachd between two calls without a failed call in between.
    with pytest.raises(Stalled, match=re.escape(other)):
        memory_side.port.stop(name)
    with pytest.raises(Stalled, match=re.escape(other)):
        memory_side.port.server()

    assert pachd.calls["StopPipeline"] == 0


@pytest.mark.parametrize(("pachd", "known", "other"), OTHERS, indirect=["pachd"])
def test_a_server_that_was_upgraded_to_the_supported_version_is_written_to(
    memory_side: Side, pachd: MemoryPachd | MemoryPachd2, known: str, other: str
) -> None:
    pachd.become(other)
    with pytest.raises(Stalled):
        memory_side.port.create(memory_side.new_name(), PLAIN, OWNER)

    pachd.become(known)

    assert memory_side.port.create(memory_side.new_name(), PLAIN, OWNER)
    assert memory_side.port.server().version == known
