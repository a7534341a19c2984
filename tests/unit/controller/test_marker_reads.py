"""What a look tells of the marker: what it is, that there is none, or that it cannot be read; when to look again."""

import asyncio
import dataclasses
from collections.abc import Coroutine
from typing import Any

import grpc
import pytest

from spout_operator.config import PachdAddress
from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.progress import LONGEST_MARKER_RETRY, Progress, Reading
from spout_operator.core.errors import Unreachable
from spout_operator.core.redaction import Secrets
from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.telemetry.metrics import Metrics
from tests.builders import NOON, a_spec, a_spout, a_transform, an_owner
from tests.memory_pachd import MemoryPachd
from tests.unit.controller import virtual_time
from tests.unit.controller.virtual_time import AtOnce, now

Code = grpc.StatusCode
SPOUT = a_spout()
NAME = SPOUT.pipeline_name.name


class Reader:
    """Looks, and keeps what it was told as the status."""

    def __init__(self, adapter: PachydermV1) -> None:
        heads = HeadReads(interval=10, quiet_interval=300)
        self.progress = Progress(adapter, heads=heads, now=lambda: NOON)
        self.status: dict[str, Any] = {}
        self.writes = 0

    async def look(self, spout: Any = SPOUT) -> Reading:
        reading = await self.progress.read(spout, self.status, Secrets(spout.spec.transform.env.values()))
        if reading.marker is not None and reading.marker != self.status.get("marker", {}):
            self.status["marker"] = dict(reading.marker)
            self.writes += 1
        return reading

    @property
    def summary(self) -> Any:
        return self.status.get("marker", {}).get("summary")


@pytest.fixture
def adapter(pachd: MemoryPachd) -> PachydermV1:
    """Its calls return at once: on a clock that jumps, nothing waits for a thread."""
    connection = Connection(pachd=PachdAddress.parse(pachd.address), telemetry=Metrics())
    return PachydermV1(connection, calls=AtOnce())


@pytest.fixture
def reader(adapter: PachydermV1) -> Reader:
    asyncio.run(adapter.create(SPOUT.pipeline_name, a_spec(), an_owner()))
    return Reader(adapter)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    virtual_time.run(scenario)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trouble:
    reason: str
    method: str
    code: grpc.StatusCode
    said: str

    def __str__(self) -> str:
        return self.reason.replace(" ", "-")


TROUBLES = [
    Trouble(reason="object storage refuses", method="WalkFile", code=Code.UNKNOWN, said="AccessDenied: 403"),
    Trouble(reason="object storage lost it", method="GetFile", code=Code.UNKNOWN, said="object abc does not exist"),
    Trouble(reason="something else", method="InspectCommit", code=Code.INTERNAL, said="panic"),
    Trouble(reason="this call alone takes too long", method="WalkFile", code=Code.DEADLINE_EXCEEDED, said="too slow"),
    Trouble(
        reason="the commit is not there",
        method="InspectCommit",
        code=Code.UNKNOWN,
        said="commit 0123456789ab4def8123456789abcdef not found in repo my-spout",
    ),
    Trouble(
        reason="the operator may not read the file",
        method="GetFile",
        code=Code.UNKNOWN,
        said="robot:op is not authorized to perform this operation on the repo my-spout",
    ),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_an_unreadable_marker_is_unknown_and_the_old_value_is_gone(
    pachd: MemoryPachd, reader: Reader, trouble: Trouble
) -> None:
    async def scenario() -> None:
        pachd.write_marker(NAME, {"offset": b"1"})
        await reader.look()
        assert reader.summary == "1"
        pachd.append_commit(NAME)
        head = pachd.write_marker(NAME, {"offset": b"2"})
        pachd.fail(trouble.method, trouble.code, trouble.said)

        reading = await reader.look()

        assert (reading.is_whole, reading.is_open) == (True, False)
        assert reading.marker_after is not None
        assert reading.commits is not None
        assert reading.commits.total == 1
        shown = dict(reader.status["marker"])
        assert trouble.said in shown.pop("message")
        assert shown == {"path": "offset", "commit": head, "summary": "unknown"}

        await asyncio.sleep(reading.marker_after)
        reading = await reader.look()

        assert (reader.summary, reading.marker_after) == ("2", None)

    run(scenario())


def test_an_outage_is_no_matter_of_the_marker(pachd: MemoryPachd, reader: Reader) -> None:
    async def scenario() -> None:
        pachd.write_marker(NAME, {"offset": b"1"})
        await reader.look()
        pachd.write_marker(NAME, {"offset": b"2"})
        pachd.fail("InspectCommit", Code.UNAVAILABLE, "down")
        pachd.fail("ListBranch", Code.UNAVAILABLE, "down", after=1)

        with pytest.raises(Unreachable):
            await reader.look()

        assert reader.summary == "1", "what was last known"

    run(scenario())


def test_the_pauses_grow_to_five_minutes_and_the_status_is_written_once(pachd: MemoryPachd, reader: Reader) -> None:
    async def scenario() -> None:
        pachd.write_marker(NAME, {"offset": b"1"})
        for request in range(20):
            pachd.fail("WalkFile", Code.UNKNOWN, f"AccessDenied: request {request:04x}")
        pauses = []
        for _ in range(12):
            reading = await reader.look()
            assert reading.marker_after is not None
            pauses.append(reading.marker_after)
            await asyncio.sleep(reading.marker_after)

        expected = [min(2.0**tries, LONGEST_MARKER_RETRY) for tries in range(12)]
        assert all(0.75 * most <= pause <= most for pause, most in zip(pauses, expected, strict=True))
        assert pachd.calls["WalkFile"] == 12
        assert reader.writes == 1, "that a request has another number is no news"

    run(scenario())


def test_a_reconcile_for_another_reason_does_not_read_the_marker_again(pachd: MemoryPachd, reader: Reader) -> None:
    async def scenario() -> None:
        pachd.write_marker(NAME, {"offset": b"1"})
        pachd.fail("WalkFile", Code.UNKNOWN, "AccessDenied", times=9)
        first = await reader.look()
        assert first.marker_after is not None
        due = now() + first.marker_after
        for _ in range(3):
            await asyncio.sleep(0.1)
            pachd.append_commit(NAME)
            pachd.write_marker(NAME, {"offset": b"2"})
            reading = await reader.look()
            assert reading.marker_after == pytest.approx(due - now())

        assert pachd.calls["WalkFile"] == 1
        assert reader.status["marker"]["message"]

    run(scenario())


def test_the_next_trouble_begins_with_a_short_pause_again(pachd: MemoryPachd, reader: Reader) -> None:
    async def scenario() -> None:
        pachd.write_marker(NAME, {"offset": b"1"})
        pachd.fail("WalkFile", Code.UNKNOWN, "AccessDenied", times=3)
        for _ in range(4):
            reading = await reader.look()
            await asyncio.sleep(reading.marker_after or 0)
        assert reader.summary == "1"
        pachd.write_marker(NAME, {"offset": b"2"})
        pachd.fail("WalkFile", Code.UNKNOWN, "AccessDenied")

        reading = await reader.look()

        assert reading.marker_after is not None
        assert reading.marker_after <= 1

    run(scenario())


def test_a_marker_that_could_not_be_read_before_a_restart_is_tried_at_once(
    pachd: MemoryPachd, adapter: PachydermV1, reader: Reader
) -> None:
    async def scenario() -> None:
        pachd.write_marker(NAME, {"offset": b"1"})
        pachd.fail("WalkFile", Code.UNKNOWN, "AccessDenied")
        await reader.look()
        restarted = Reader(adapter)
        restarted.status = reader.status

        reading = await restarted.look()

        assert (restarted.summary, reading.marker_after) == ("1", None)

    run(scenario())


def test_a_spout_that_is_gone_leaves_nothing_behind(pachd: MemoryPachd, reader: Reader) -> None:
    async def scenario() -> None:
        pachd.write_marker(NAME, {"offset": b"1"})
        pachd.fail("WalkFile", Code.UNKNOWN, "AccessDenied")
        await reader.look()

        reader.progress.forget(SPOUT.key)

        assert (await reader.look()).marker_after is None
        assert reader.summary == "1"

    run(scenario())


def test_the_reason_is_told_without_the_secrets_of_env(pachd: MemoryPachd, reader: Reader) -> None:
    async def scenario() -> None:
        spout = a_spout(spec=a_spec(transform=a_transform(env={"PASSWORD": "hunter2hunter2"})))
        pachd.write_marker(NAME, {"offset": b"1"})
        pachd.fail("WalkFile", Code.UNKNOWN, "no bucket hunter2hunter2")

        await reader.look(spout)

        assert "no bucket [redacted]" in reader.status["marker"]["message"]

    run(scenario())


def test_a_finished_commit_without_the_marker_is_told_and_not_asked_for_again(
    pachd: MemoryPachd, reader: Reader
) -> None:
    async def scenario() -> None:
        pachd.write_marker(NAME, {"offset": b"1"})
        await reader.look()
        pachd.write_marker(NAME, {"another": b"1"})
        await reader.look()
        walks = pachd.calls["WalkFile"]

        reading = await reader.look()

        assert reader.summary == "none"
        assert (reading.marker_after, reading.is_open) == (None, False)
        assert pachd.calls["WalkFile"] == walks

    run(scenario())


def test_an_open_commit_says_nothing_new(pachd: MemoryPachd, reader: Reader) -> None:
    async def scenario() -> None:
        pachd.write_marker(NAME, {"offset": b"1"})
        await reader.look()
        still_open = pachd.write_marker(NAME, {"another": b"1"}, finished=False)

        reading = await reader.look()

        assert (reading.marker, reading.is_open, reader.summary) == (None, True, "1")
        pachd.finish_commit(NAME, still_open)
        await reader.look()
        assert reader.summary == "none"

    run(scenario())


def test_before_the_first_marker_commit_there_is_no_section(reader: Reader) -> None:
    async def scenario() -> None:
        assert (await reader.look()).marker == {}

    run(scenario())
