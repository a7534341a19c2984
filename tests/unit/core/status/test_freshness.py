"""Whether the commits of a spout are in time, and whether commits and marker move together.

A row is a series of looks at a spout. Each makes a status from the one before and knows nothing else, as an operator
that is restarted after each look.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from spout_operator.core.errors import Failure, Retryable, SpoutError, Unreachable
from spout_operator.core.freshness import Freshness
from spout_operator.core.model import PipelineState, SpoutOptions
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.resource import condition_of
from spout_operator.core.server import Server
from spout_operator.core.status import conditions, freshness, health
from spout_operator.core.status import marker as markers
from spout_operator.core.status.build import StatusInputs, build
from spout_operator.core.status.commits import NOTHING_COUNTED, CommitCount
from spout_operator.core.status.conditions import Condition
from spout_operator.core.status.health import FALSE, TRUE, UNKNOWN
from tests.builders import NOON, a_commit, a_marker, a_pipeline, a_spec, a_spout

MINUTE = datetime.timedelta(minutes=1)
SERVER = Server(address="grpc://pachd:650")
AGE_10 = Freshness(max_commit_age=10 * MINUTE, startup_grace=2 * MINUTE)
OFFSET = SpoutOptions(marker="offset")
SUSPENDED = Condition(type="Ready", status=TRUE, reason=Reason.SUSPENDED, message="the pipeline is stopped")
RUNS = Condition(type="Ready", status=TRUE, reason=Reason.RUNNING, message="the spout is running")
FAILS = Condition(type="Ready", status=FALSE, reason=Reason.USER_CODE_FAILING, message="it has failed twice")


def at(minutes: float) -> datetime.datetime:
    return NOON + minutes * MINUTE


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look, in minutes after noon. `data`, `empty` and `marker` are new: commits, and a move of the marker."""

    at: float
    data: float | None = None
    """When the newest commit, which made the repo grow, was finished."""
    empty: float | None = None
    """The same for one that did not."""
    marker: float | None = None
    up: bool = True
    version: int = 1
    ready: Condition = RUNS
    counting: bool = False
    """More commits than are counted in one look."""


@dataclass(frozen=True, kw_only=True)
class Early:
    """A look that ended early."""

    at: float
    error: SpoutError
    forgets: bool = False


Looks = tuple[Look | Early, ...]


class Watched:
    """A spout and its status, look after look."""

    def __init__(self, asked: Freshness, options: SpoutOptions) -> None:
        self.status: Mapping[str, Any] = {}
        self._spout = a_spout(freshness=asked, spec=a_spec(spout=options))
        self._count = NOTHING_COUNTED
        self._marker: Mapping[str, Any] = {}

    def look(self, look: Look | Early) -> None:
        found = self._early(look) if isinstance(look, Early) else self._whole(look)
        self.status = build(self.status, found, secrets=Secrets([]), generation=1, now=at(look.at))

    def _early(self, look: Early) -> StatusInputs:
        found = conditions.of_failure(Failure.of(look.error))
        return StatusInputs(conditions=found, server=SERVER, forgets=look.forgets)

    def _whole(self, look: Look) -> StatusInputs:
        for finished, grows in ((look.data, True), (look.empty, False)):
            if finished is not None:
                size = (self._count.last.size if self._count.last else 0) + grows
                last = a_commit(id=f"commit{finished}", finished_at=at(finished), size=size)
                self._count = CommitCount(total=self._count.total + 1, last=last)
        if look.marker is not None:
            self._marker = markers.to_status(a_marker(commit=f"marker{look.marker}", finished_at=at(look.marker)))
        return StatusInputs(
            conditions=(look.ready if look.up else SUSPENDED,),
            server=SERVER,
            spout=self._spout,
            pipeline=a_pipeline(
                version=look.version,
                state=PipelineState.RUNNING if look.up else PipelineState.PAUSED,
                stopped=not look.up,
                workers=(1, 1) if look.up else (0, 0),
            ),
            commits=None if look.counting else self._count,
            marker=self._marker,
        )


def after(looks: Looks, *, asked: Freshness = AGE_10, options: SpoutOptions = OFFSET) -> Mapping[str, Any]:
    """The status after the last look."""
    watched = Watched(asked, options)
    for look in looks:
        watched.look(look)
    return watched.status


@dataclass(frozen=True, kw_only=True)
class Row:
    """`shows` is the status and the reason of Fresh; None where the condition is absent."""

    reason: str
    looks: Looks
    asked: Freshness = AGE_10
    shows: tuple[str, Reason] | None
    says: str = ""


IN_TIME, TOO_OLD = (TRUE, Reason.COMMIT_IN_TIME), (FALSE, Reason.COMMIT_TOO_OLD)
OUTAGE = Unreachable("pachd does not answer")

FRESH = [
    Row(
        reason="nobody asks for it",
        looks=(Look(at=0), Look(at=600)),
        asked=Freshness(),
        shows=None,
    ),
    Row(
        reason="the worker has just come up",
        looks=(Look(at=0),),
        shows=IN_TIME,
        says="a commit is due by 2026-01-31T12:12:00Z; spec.freshness.maxCommitAge is 10m",
    ),
    Row(
        reason="the grace and the age are not over",
        looks=(Look(at=0), Look(at=11.99)),
        shows=IN_TIME,
    ),
    Row(
        reason="the grace and the age are over, and no commit ever came",
        looks=(Look(at=0), Look(at=12)),
        shows=TOO_OLD,
        says="no commit since the worker came up at 2026-01-31T12:00:00Z; spec.freshness.maxCommitAge is 10m",
    ),
    Row(
        reason="a commit counts from when it was finished",
        looks=(Look(at=0), Look(at=8, data=7), Look(at=16.99)),
        shows=IN_TIME,
        says="the newest commit is not too old; spec.freshness.maxCommitAge is 10m",
    ),
    Row(
        reason="the newest commit is too old",
        looks=(Look(at=0), Look(at=8, data=7), Look(at=17)),
        shows=TOO_OLD,
        says="no commit since 2026-01-31T12:07:00Z; spec.freshness.maxCommitAge is 10m",
    ),
    Row(
        reason="the first commit comes within the grace: what is later counts",
        looks=(Look(at=0), Look(at=1, data=1), Look(at=11.5)),
        shows=IN_TIME,
    ),
    Row(
        reason="a commit comes after a silence",
        looks=(Look(at=0), Look(at=30), Look(at=31, data=30.5)),
        shows=IN_TIME,
    ),
    Row(
        reason="a commit that holds nothing but the marker is one too",
        looks=(Look(at=0), Look(at=30), Look(at=31, empty=30.5, marker=30.5)),
        shows=IN_TIME,
    ),
    Row(
        reason="the commit is older than the worker, whose start counts",
        looks=(Look(at=0, data=-60), Look(at=11)),
        shows=IN_TIME,
        says="a commit is due by",
    ),
    Row(
        reason="the same, once that time is over",
        looks=(Look(at=0, data=-60), Look(at=12)),
        shows=TOO_OLD,
        says="no commit since the worker came up at",
    ),
    Row(
        reason="it is suspended: nobody expects a commit",
        looks=(Look(at=0), Look(at=30), Look(at=31, up=False)),
        shows=(UNKNOWN, Reason.SUSPENDED),
        says="the pipeline is stopped",
    ),
    Row(
        reason="it was resumed: the time begins again",
        looks=(Look(at=0, data=0), Look(at=5, up=False), Look(at=60), Look(at=71.99)),
        shows=IN_TIME,
    ),
    Row(
        reason="it was resumed, and does not commit",
        looks=(Look(at=0, data=0), Look(at=5, up=False), Look(at=60), Look(at=72)),
        shows=TOO_OLD,
    ),
    Row(
        reason="it was edited: each version has a worker of its own",
        looks=(Look(at=0), Look(at=30), Look(at=31, version=2)),
        shows=IN_TIME,
    ),
    Row(
        reason="Pachyderm does not answer: nobody knows",
        looks=(Look(at=0), Look(at=30), Early(at=31, error=OUTAGE)),
        shows=(UNKNOWN, Reason.PACHYDERM_UNREACHABLE),
    ),
    Row(
        reason="Pachyderm answers again: an outage is no start of the worker",
        looks=(Look(at=0), Look(at=30), Early(at=31, error=OUTAGE), Look(at=32)),
        shows=TOO_OLD,
    ),
    Row(
        reason="the operator cannot tell",
        looks=(Look(at=0), Early(at=1, error=Retryable(Reason.PACHYDERM_ERROR, "it is in trouble"))),
        shows=(UNKNOWN, Reason.PACHYDERM_ERROR),
    ),
    Row(
        reason="the pipeline is not this Spout's",
        looks=(Look(at=0), Early(at=1, error=Retryable(Reason.PACHYDERM_ERROR, "no"), forgets=True)),
        shows=None,
    ),
    Row(
        reason="a long history is counted: the next look tells",
        looks=(Look(at=0, data=0), Look(at=30, counting=True)),
        shows=IN_TIME,
    ),
    Row(
        reason="the user code fails: that is what Ready tells",
        looks=(Look(at=0), Look(at=30, ready=FAILS)),
        shows=TOO_OLD,
    ),
]


@pytest.mark.parametrize("row", FRESH, ids=lambda row: row.reason)
def test_a_spout_is_fresh_while_its_commits_are_in_time(row: Row) -> None:
    found = condition_of(after(row.looks, asked=row.asked), freshness.FRESH)

    assert ((found["status"], found["reason"]) if found else None) == row.shows
    assert row.says in found.get("message", "")


#: Nothing about the age of commits; the defaults for the rest.
NOT_ASKED = Freshness()


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Commits and marker; `stalled` is the type of the condition that is there, if one is."""

    reason: str
    looks: Looks
    asked: Freshness = NOT_ASKED
    options: SpoutOptions = OFFSET
    stalled: str | None = None
    says: str = ""


def every(pause: float, until: float, **new: bool) -> Looks:
    """A look each time that something new comes."""
    moments = [pause * number for number in range(1, int(until / pause) + 1)]
    found: list[dict[str, Any]] = [dict.fromkeys(("at", *new), moment) for moment in moments]
    return tuple(Look(**look) for look in found)


def hourly(first: Callable[[float], Look], second: Callable[[float], Look]) -> Looks:
    """Two looks a minute apart, each hour; at the end the first once more."""
    pairs = [(first(60.0 * hour), second(60.0 * hour + 1)) for hour in range(1, 5)]
    return (*(look for pair in pairs for look in pair), first(300.0))


START = Look(at=0)
BOTH_OFF = Freshness(marker_stalled_after=0 * MINUTE, output_stalled_after=0 * MINUTE)

APART = [
    Apart(reason="nothing happens", looks=(START, Look(at=600))),
    Apart(reason="both move at each look", looks=(START, *every(1, 60, data=True, marker=True))),
    Apart(
        reason="data, then the marker, hour after hour",
        looks=(START, *hourly(lambda now: Look(at=now, data=now), lambda now: Look(at=now, empty=now, marker=now))),
    ),
    Apart(
        reason="the marker, then data, hour after hour",
        looks=(START, *hourly(lambda now: Look(at=now, marker=now), lambda now: Look(at=now, data=now))),
    ),
    Apart(reason="data comes for less than a quarter of an hour", looks=(START, *every(1, 15, data=True))),
    Apart(
        reason="data comes for a quarter of an hour, and the marker has never been written",
        looks=(START, *every(1, 16, data=True)),
        stalled=freshness.MARKER_STALLED,
        says="has committed data since 2026-01-31T12:01:00Z, for longer than 15m (spec.freshness.markerStalledAfter), "
        "and its marker has never been written",
    ),
    Apart(
        reason="the same with a marker that moved before",
        looks=(START, Look(at=0.5, data=0.5, marker=0.5), *every(1, 16, data=True)),
        stalled=freshness.MARKER_STALLED,
        says="its marker has not moved since 2026-01-31T12:00:30Z: a restart would repeat these commits",
    ),
    Apart(
        reason="the marker moves again",
        looks=(START, *every(1, 16, data=True), Look(at=17, empty=17, marker=17)),
    ),
    Apart(
        reason="no data comes any more: what is there would be repeated all the same",
        looks=(START, *every(1, 16, data=True), Look(at=600)),
        stalled=freshness.MARKER_STALLED,
    ),
    Apart(reason="the spout has no marker", looks=(START, *every(1, 60, data=True)), options=SpoutOptions()),
    Apart(reason="both are switched off", looks=(START, *every(1, 60, data=True)), asked=BOTH_OFF),
    Apart(
        reason="the marker may stand for longer",
        looks=(START, *every(1, 60, data=True)),
        asked=Freshness(marker_stalled_after=60 * MINUTE),
    ),
    Apart(
        reason="commits without data are not ahead of the marker",
        looks=(START, *every(1, 60, empty=True)),
    ),
    Apart(reason="the marker moves for less than a quarter of an hour", looks=(START, *every(1, 15, marker=True))),
    Apart(
        reason="the marker moves for a quarter of an hour, with the empty commits that it makes on 1.13",
        looks=(START, *every(1, 16, marker=True, empty=True)),
        stalled=freshness.OUTPUT_STALLED,
        says="has moved on since 2026-01-31T12:01:00Z, for longer than 15m (spec.freshness.outputStalledAfter), and",
    ),
    Apart(
        reason="data comes again",
        looks=(START, *every(1, 16, marker=True), Look(at=17, data=17)),
    ),
    Apart(
        reason="data and the marker come at once, and the marker was behind",
        looks=(START, *every(1, 16, data=True), Look(at=17, data=17, marker=17)),
    ),
    Apart(
        reason="data and the marker come at once, and the marker was ahead",
        looks=(START, *every(1, 16, marker=True), Look(at=17, data=17, marker=17)),
    ),
    Apart(reason="it is switched off", looks=(START, *every(1, 60, marker=True)), asked=BOTH_OFF),
    Apart(
        reason="files are overwritten: the size does not tell of data",
        looks=(START, *every(1, 60, marker=True, empty=True)),
        options=SpoutOptions(marker="offset", overwrite=True),
    ),
    Apart(
        reason="Pachyderm does not answer: what was found holds",
        looks=(START, *every(1, 16, data=True), Early(at=17, error=OUTAGE)),
        stalled=freshness.MARKER_STALLED,
    ),
    Apart(
        reason="Pachyderm answers again, and nothing has changed",
        looks=(START, *every(1, 16, data=True), Early(at=17, error=OUTAGE), Look(at=18)),
        stalled=freshness.MARKER_STALLED,
    ),
    Apart(
        reason="the worker is stopped: the next one begins anew",
        looks=(START, *every(1, 16, data=True), Look(at=17, up=False)),
    ),
    Apart(
        reason="it was stopped and started while nobody looked",
        looks=(START, *every(1, 16, data=True), Look(at=17, version=2)),
    ),
    Apart(
        reason="the same with a marker that was ahead",
        looks=(START, *every(1, 16, marker=True), Look(at=17, version=2)),
    ),
    Apart(
        reason="it was there before the first look, so nobody knows which came first",
        looks=(Look(at=0, data=-600), Look(at=1, data=1)),
    ),
    Apart(
        reason="the pipeline is not this Spout's",
        looks=(START, *every(1, 16, data=True), Early(at=17, error=OUTAGE, forgets=True)),
    ),
]


@pytest.mark.parametrize("row", APART, ids=lambda row: row.reason)
def test_a_condition_tells_that_commits_and_marker_do_not_move_together(row: Apart) -> None:
    status = after(row.looks, asked=row.asked, options=row.options)

    kinds = (freshness.MARKER_STALLED, freshness.OUTPUT_STALLED)
    found = {kind: condition_of(status, kind) for kind in kinds if condition_of(status, kind)}
    assert list(found) == ([row.stalled] if row.stalled else [])
    assert all(condition["status"] == TRUE for condition in found.values())
    assert row.says in "".join(condition["message"] for condition in found.values())


def test_a_look_that_finds_nothing_new_changes_no_status_but_when_a_commit_gets_too_old() -> None:
    watched = Watched(AGE_10, OFFSET)
    looks = [START, Look(at=1, data=1, marker=1), *(Look(at=minute) for minute in range(2, 60))]
    statuses = []
    for look in looks:
        watched.look(look)
        statuses.append(watched.status)

    changes = [looks[number].at for number in range(1, len(looks)) if statuses[number] != statuses[number - 1]]
    assert changes == [1, 12], "the commit and the marker; and ten minutes after the grace"


def test_ready_and_the_tools_that_read_kstatus_do_not_depend_on_it() -> None:
    status = after((START, *every(1, 16, data=True), Look(at=60)))

    assert [condition["type"] for condition in status["conditions"]] == ["Ready", "Fresh", "MarkerStalled"]
    assert condition_of(status, "Ready")["status"] == TRUE
    assert not condition_of(status, health.STALLED)


def test_a_status_that_somebody_else_wrote_is_no_defect() -> None:
    watched = Watched(AGE_10, OFFSET)
    watched.status = {
        "conditions": [{"type": "Fresh", "status": "True", "reason": "Theirs", "message": ""}],
        "freshness": {"workerUpSince": "yesterday"},
    }
    watched.look(Early(at=0, error=OUTAGE))
    assert not condition_of(watched.status, freshness.FRESH)

    watched.look(Look(at=0))
    assert condition_of(watched.status, freshness.FRESH)["reason"] == Reason.COMMIT_IN_TIME


@pytest.mark.parametrize(
    ("looks", "asked", "seconds", "reason"),
    [
        ((START,), AGE_10, 12 * 60, "the grace and the age"),
        ((START, Look(at=8, data=7)), AGE_10, 9 * 60, "counted from the commit"),
        ((START, Look(at=30)), AGE_10, None, "it is too old already: a commit is an event"),
        ((START, Look(at=5, up=False)), AGE_10, None, "nobody expects a commit"),
        ((START,), Freshness(), None, "nobody asks"),
    ],
)
def test_the_moment_at_which_a_commit_gets_too_old_is_known(
    looks: Looks, asked: Freshness, seconds: float | None, reason: str
) -> None:
    status = after(looks, asked=asked)

    assert freshness.due_in(asked, status, now=at(looks[-1].at)) == seconds, reason


@pytest.mark.parametrize(
    ("looks", "kind", "reason", "message"),
    [
        (
            (START,),
            freshness.FRESH,
            Reason.COMMIT_IN_TIME,
            (
                "the worker came up at 2026-01-31T12:00:00Z, and a commit is due by 2026-01-31T12:12:00Z; "
                "spec.freshness.maxCommitAge is 10m"
            ),
        ),
        (
            (Look(at=0, data=0),),
            freshness.FRESH,
            Reason.COMMIT_IN_TIME,
            "the newest commit is not too old; spec.freshness.maxCommitAge is 10m",
        ),
        (
            (START, *every(1, 16, data=True)),
            freshness.MARKER_STALLED,
            Reason.COMMITS_WITHOUT_MARKER,
            (
                "the spout has committed data since 2026-01-31T12:01:00Z, for longer than 15m "
                "(spec.freshness.markerStalledAfter), and its marker has never been written: a restart would repeat "
                "these commits. See whether the code writes the marker, in an archive of its own"
            ),
        ),
        (
            (START, *every(1, 16, marker=True)),
            freshness.OUTPUT_STALLED,
            Reason.MARKER_WITHOUT_COMMITS,
            (
                "the marker has moved on since 2026-01-31T12:01:00Z, for longer than 15m "
                "(spec.freshness.outputStalledAfter), and the spout has committed no data: what it has read since is "
                "not in Pachyderm. See whether the code writes its data to /pfs/out"
            ),
        ),
    ],
    ids=["no commit yet", "a commit in the second in which the worker came up", "no marker", "no data"],
)
def test_a_condition_says_since_when_by_which_field_and_what_to_do(
    looks: Looks, kind: str, reason: Reason, message: str
) -> None:
    found = condition_of(after(looks), kind)

    assert (found["reason"], found["message"]) == (reason, message)


@pytest.mark.parametrize(
    ("looks", "asked", "minute", "expected", "reason"),
    [
        ((START,), AGE_10, 11, False, "it is not due yet"),
        ((START,), AGE_10, 13, True, "it is too old, and nobody has seen that yet"),
        ((START,), Freshness(), 13, False, "nobody asks"),
        ((START, Look(at=30)), AGE_10, 31, False, "the status says so"),
        ((START, Look(at=5, up=False)), AGE_10, 6, True, "the status says nothing"),
    ],
)
def test_a_commit_may_be_overdue(looks: Looks, asked: Freshness, minute: float, expected: bool, reason: str) -> None:
    assert freshness.may_be_overdue(asked, after(looks), now=at(minute)) is expected, reason


def test_a_commit_that_nobody_has_seen_get_too_old_is_due_at_once() -> None:
    assert freshness.due_in(AGE_10, after((START,)), now=at(13)) == 0


def test_a_status_without_the_start_of_the_worker_counts_from_now() -> None:
    somebody_elses = {"conditions": [{"type": "Fresh", "status": "True"}]}

    assert freshness.due_in(AGE_10, somebody_elses, now=NOON) == 12 * 60


def test_the_start_of_a_worker_is_remembered_only_where_the_age_of_commits_counts() -> None:
    assert after((START,))["freshness"] == {"workerUpSince": "2026-01-31T12:00:00Z"}
    assert "freshness" not in after((START,), asked=NOT_ASKED)
