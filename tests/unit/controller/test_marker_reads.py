"""What a look tells of the marker: what it is, that there is none, or that it cannot be read; when to look again."""

import asyncio
from typing import Any

import pytest

from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.progress import LONGEST_MARKER_RETRY, Progress, Reading
from spout_operator.core.errors import Missing, SpoutError, Unreachable
from spout_operator.core.model import Heads, PipelineName, SpoutOptions
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from tests.builders import NOON, a_failure, a_refusal, a_spec, a_spout, a_transform, an_outage, an_owner
from tests.fakes.memory_pipelines import MemoryPipelines
from tests.unit.controller.virtual_time import now

SPOUT = a_spout()
NAME = SPOUT.pipeline_name


class Reader:
    """Looks, and keeps what it was told as the status. Before each look, heads have moved."""

    def __init__(self, pipelines: MemoryPipelines) -> None:
        self._heads = HeadReads(interval=10, quiet_interval=300)
        self.progress = Progress(pipelines, heads=self._heads, now=lambda: NOON)
        self.status: dict[str, Any] = {}
        self.writes = 0

    async def look(self, spout: Any = SPOUT) -> Reading:
        self._heads.doubt(NAME)
        reading = await self.progress.read(spout, self.status, Secrets(spout.spec.transform.env.values()))
        if reading.marker is not None and reading.marker != self.status.get("marker", {}):
            self.status["marker"] = dict(reading.marker)
            self.writes += 1
        return reading

    @property
    def summary(self) -> Any:
        return self.status.get("marker", {}).get("summary")


@pytest.fixture
async def reader(pipelines: MemoryPipelines) -> Reader:
    pipelines.make(NAME, a_spec(), an_owner())
    return Reader(pipelines)


TROUBLES = [
    pytest.param(a_failure("AccessDenied: 403"), id="object-storage-refuses"),
    pytest.param(an_outage("DEADLINE_EXCEEDED: too slow"), id="this-call-alone-takes-too-long"),
    pytest.param(Missing("could not read the marker", said="commit 0123 not found"), id="the-commit-is-not-there"),
    pytest.param(a_refusal("robot:op is not authorized", Reason.UNAUTHORIZED), id="the-operator-may-not-read-the-file"),
]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_an_unreadable_marker_is_unknown_and_the_old_value_is_gone(
    pipelines: MemoryPipelines, reader: Reader, trouble: SpoutError
) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    await reader.look()
    assert reader.summary == "1"
    pipelines.commit(NAME)
    head = pipelines.write_marker(NAME, {"offset": b"2"})
    pipelines.fail("marker", trouble)

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

    assert (reader.summary, reading.marker_after, reading.is_open) == ("2", None, False)


async def test_an_outage_is_no_matter_of_the_marker(pipelines: MemoryPipelines, reader: Reader) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    await reader.look()
    pipelines.write_marker(NAME, {"offset": b"2"})
    pipelines.fail("marker", an_outage())
    pipelines.fail("heads", an_outage(), after=1)

    with pytest.raises(Unreachable):
        await reader.look()

    assert reader.summary == "1", "what was last known"


async def test_the_pauses_grow_to_five_minutes_and_the_status_is_written_once(
    pipelines: MemoryPipelines, reader: Reader
) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    for request in range(20):
        pipelines.fail("marker", a_failure(f"AccessDenied: request {request:04x}"))
    pauses = []
    for _ in range(12):
        reading = await reader.look()
        assert reading.marker_after is not None
        pauses.append(reading.marker_after)
        await asyncio.sleep(reading.marker_after)

    expected = [min(2.0**tries, LONGEST_MARKER_RETRY) for tries in range(12)]
    assert all(0.75 * most <= pause <= most for pause, most in zip(pauses, expected, strict=True))
    assert pipelines.calls["marker"] == 12
    assert reader.writes == 1, "that a request has another number is no news"


async def test_a_reconcile_for_another_reason_does_not_read_the_marker_again(
    pipelines: MemoryPipelines, reader: Reader
) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    pipelines.fail("marker", a_failure("AccessDenied"), times=9)
    first = await reader.look()
    assert first.marker_after is not None
    due = now() + first.marker_after
    for _ in range(3):
        await asyncio.sleep(0.1)
        pipelines.commit(NAME)
        pipelines.write_marker(NAME, {"offset": b"2"})
        reading = await reader.look()
        assert reading.marker_after == pytest.approx(due - now())

    assert pipelines.calls["marker"] == 1
    assert reader.status["marker"]["message"]


async def test_the_next_trouble_begins_with_a_short_pause_again(pipelines: MemoryPipelines, reader: Reader) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    pipelines.fail("marker", a_failure("AccessDenied"), times=3)
    for _ in range(4):
        reading = await reader.look()
        await asyncio.sleep(reading.marker_after or 0)
    assert reader.summary == "1"
    pipelines.write_marker(NAME, {"offset": b"2"})
    pipelines.fail("marker", a_failure("AccessDenied"))

    reading = await reader.look()

    assert reading.marker_after is not None
    assert reading.marker_after <= 1


async def test_a_marker_that_could_not_be_read_before_a_restart_is_tried_at_once(
    pipelines: MemoryPipelines, reader: Reader
) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    pipelines.fail("marker", a_failure("AccessDenied"))
    await reader.look()
    restarted = Reader(pipelines)
    restarted.status = reader.status

    reading = await restarted.look()

    assert (restarted.summary, reading.marker_after) == ("1", None)


async def test_a_spout_that_is_gone_leaves_nothing_behind(pipelines: MemoryPipelines, reader: Reader) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    pipelines.fail("marker", a_failure("AccessDenied"))
    await reader.look()

    reader.progress.forget(SPOUT.key)

    assert (await reader.look()).marker_after is None
    assert reader.summary == "1"


async def test_the_reason_is_told_without_the_secrets_of_env(pipelines: MemoryPipelines, reader: Reader) -> None:
    spout = a_spout(spec=a_spec(transform=a_transform(env={"PASSWORD": "hunter2hunter2"})))
    pipelines.write_marker(NAME, {"offset": b"1"})
    pipelines.fail("marker", a_failure("no bucket hunter2hunter2"))

    await reader.look(spout)

    assert "no bucket [redacted]" in reader.status["marker"]["message"]


async def test_a_finished_commit_without_the_marker_is_told_and_not_asked_for_again(
    pipelines: MemoryPipelines, reader: Reader
) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    await reader.look()
    pipelines.write_marker(NAME, {"another": b"1"})
    await reader.look()
    walks = pipelines.calls["marker"]

    reading = await reader.look()

    assert reader.summary == "none"
    assert (reading.marker_after, reading.is_open) == (None, False)
    assert pipelines.calls["marker"] == walks


async def test_an_open_commit_says_nothing_new(pipelines: MemoryPipelines, reader: Reader) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    await reader.look()
    still_open = pipelines.write_marker(NAME, {"another": b"1"}, finished_at=None)

    reading = await reader.look()

    assert (reading.marker, reading.is_open, reader.summary) == (None, True, "1")
    pipelines.finish_commit(NAME, still_open)
    await reader.look()
    assert reader.summary == "none"


async def test_before_the_first_marker_commit_there_is_no_section(reader: Reader) -> None:
    assert (await reader.look()).marker == {}


async def test_a_trouble_that_lasts_is_one_line_of_the_log(
    pipelines: MemoryPipelines, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    pipelines.fail("marker", a_failure("AccessDenied"), times=9)
    for _ in range(3):
        reading = await reader.look()
        await asyncio.sleep(reading.marker_after or 0)

    assert pipelines.calls["marker"] == 3
    assert caplog.messages == [
        "Spout ingest/my-spout: could not do it: Pachyderm failed; it is tried again (AccessDenied)"
    ]


class OneRepo(MemoryPipelines):
    """Pipelines of which nobody asks for another than `NAME`."""

    async def heads(self, name: PipelineName) -> Heads:
        assert name == NAME
        return await super().heads(name)


async def test_a_marker_without_an_answer_is_held_against_the_heads_of_its_own_repo() -> None:
    pipelines = OneRepo()
    pipelines.make(NAME, a_spec(), an_owner())
    reader = Reader(pipelines)
    pipelines.write_marker(NAME, {"offset": b"1"})
    pipelines.fail("marker", an_outage())

    await reader.look()

    assert (reader.summary, pipelines.calls["heads"]) == ("unknown", 2)


async def test_a_marker_that_cannot_be_read_is_no_open_commit(pipelines: MemoryPipelines, reader: Reader) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    pipelines.fail("marker", a_failure("AccessDenied"), times=9)

    looks = [await reader.look() for _ in range(3)]

    assert [look.is_open for look in looks] == [False] * 3
    assert pipelines.calls["marker"] == 1


async def test_a_marker_that_nobody_asks_for_any_more_is_not_tried_again(
    pipelines: MemoryPipelines, reader: Reader
) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    pipelines.fail("marker", a_failure("AccessDenied"))
    assert (await reader.look()).marker_after is not None

    reading = await reader.look(a_spout(spec=a_spec(spout=SpoutOptions())))

    assert (reading.marker, reading.marker_after) == ({}, None)


async def test_a_marker_that_is_shown_is_neither_read_again_nor_open(
    pipelines: MemoryPipelines, reader: Reader
) -> None:
    pipelines.write_marker(NAME, {"offset": b"1"})
    await reader.look()

    reading = await reader.look()

    assert (reading.marker, reading.is_open, pipelines.calls["marker"]) == (None, False, 1)
