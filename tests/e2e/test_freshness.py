"""Commits that are late, and a marker or commits that stand still, on a real Pachyderm 1.13.4 and its workers.

Ready depends on none of them: its history comes from the watch, so no moment is missing. Events tell of each.
"""

import datetime
from collections.abc import Callable
from pathlib import Path

from spout_operator.core.resource import condition_of
from spout_operator.core.timestamps import parse_time
from spout_testbed import Testbed
from spout_testbed.harness import bodies
from spout_testbed.harness.cluster import administrator
from spout_testbed.harness.spouts import Spouts, message
from tests.e2e.history import History
from tests.e2e.told import Told

#: What is written changes with the file `mode`: `data`, `offset` (the marker), or both, each in an archive of its own.
CODE = """
put() { until tar -cf /pfs/out "$1"; do sleep 0.1; done; }
cd "$WORK"
number=0
while true; do
    number=$((number + 1))
    for file in $(sed "s/data/data-$number/" mode); do
        echo $number > $file
        put $file
    done
    sleep 0.5
done
"""
#: The least that the CRD allows for maxCommitAge.
AGE = datetime.timedelta(seconds=10)
#: For how long commits and marker may be apart.
APART = datetime.timedelta(seconds=3)
ON = {"markerStalledAfter": "3s", "outputStalledAfter": "3s"}
OFF = {"markerStalledAfter": "0s", "outputStalledAfter": "0s"}


class Driven:
    """A Spout whose code writes what the test says."""

    def __init__(self, name: str, folder: Path, freshness: dict[str, str], *, marker: str | None = "offset") -> None:
        self.name = name
        self._folder = folder / name
        self._folder.mkdir()
        self.spec = bodies.a_spec(
            {
                "transform.image": "python:3.13",
                "transform.cmd": ["sh"],
                "transform.stdin": CODE.splitlines(),
                "transform.env": {"WORK": str(self._folder)},
                "spout": {"marker": marker} if marker else {},
                "freshness": freshness,
            }
        )

    def writes(self, *kinds: str) -> None:
        """From now on, its code writes these."""
        written = self._folder / "mode.new"
        written.write_text(" ".join(kinds))
        written.replace(self._folder / "mode")


def is_true(kind: str) -> Callable[[bodies.Body], bool]:
    """A condition of this type is there."""
    return lambda status: condition_of(status, kind).get("status") == "True"


def is_absent(kind: str) -> Callable[[bodies.Body], bool]:
    """No condition of this type is there."""
    return lambda status: not condition_of(status, kind)


def has_marker(status: bodies.Body) -> bool:
    """It has written a marker."""
    return "marker" in status


def marker_is_behind(status: bodies.Body) -> bool:
    """What turns MarkerStalled, unless it is switched off."""
    return _is_longer(status["freshness"].get("commitsAheadSince"), status["commits"]["last"]["finishedAt"])


def data_is_behind(status: bodies.Body) -> bool:
    """What turns OutputStalled, unless it is switched off."""
    return _is_longer(status["freshness"].get("markerAheadSince"), status["marker"]["updatedAt"])


def _is_longer(begin: str | None, end: str) -> bool:
    return begin is not None and parse_time(end) - parse_time(begin) >= APART


def test_each_condition_turns_and_clears_by_itself_and_ready_stays(
    spouts: Spouts, name: str, bed: Testbed, tmp_path: Path
) -> None:
    late = Driven(f"{name}-late", tmp_path, {"maxCommitAge": "10s", "startupGrace": "0s"}, marker=None)
    no_marker = Driven(f"{name}-no-marker", tmp_path, ON)
    no_data = Driven(f"{name}-no-data", tmp_path, ON)
    switched_off = Driven(f"{name}-switched-off", tmp_path, ON)
    with_marker = (no_marker, no_data, switched_off)
    with administrator(bed) as kube:
        history = History(kube, spouts)
        late.writes("data")
        spouts.create(late.name, late.spec)
        for each in with_marker:
            each.writes("data", "offset")
            spouts.create(each.name, each.spec)
        history.wait(late.name, "to commit in time", ready="True", fresh="True", total=2)
        for each in with_marker:
            history.wait(each.name, "data and a marker", has_marker, ready="True", total=2)

        late.writes()
        no_marker.writes("data")
        no_data.writes("offset")
        switched_off.writes("data")

        status = history.wait(no_marker.name, "its marker to stand still", is_true("MarkerStalled"))
        assert "a restart would repeat these commits" in message(status, "MarkerStalled")
        status = history.wait(no_data.name, "its data to stand still", is_true("OutputStalled"))
        assert "the spout has committed no data" in message(status, "OutputStalled")
        history.wait(switched_off.name, "its marker to stand still", is_true("MarkerStalled"))
        status = history.wait(late.name, "to be late", fresh="False")
        turned_at = parse_time(condition_of(status, "Fresh")["lastTransitionTime"])
        assert turned_at - parse_time(status["commits"]["last"]["finishedAt"]) >= AGE

        spouts.edit(switched_off.name, {"freshness": OFF})
        late.writes("data")
        no_marker.writes("offset")
        no_data.writes("data")
        history.wait(late.name, "to commit in time again", fresh="True")
        history.wait(no_marker.name, "its marker to move", is_absent("MarkerStalled"))
        history.wait(no_data.name, "its data to come", is_absent("OutputStalled"))

        status = history.wait(switched_off.name, "no condition any more", is_absent("MarkerStalled"))
        assert marker_is_behind(status), "its marker stands still as before"
        switched_off.writes("offset")
        history.wait(switched_off.name, "data that stands still for as long", data_is_behind, version=1)
        Told(kube, spouts).wait(
            {
                late.name: {"CommitTooOld", "CommitsResumed"},
                no_marker.name: {"CommitsWithoutMarker", "MarkerResumed"},
                no_data.name: {"MarkerWithoutCommits", "OutputResumed"},
                switched_off.name: {"CommitsWithoutMarker"},
            }
        )

    assert history.of(switched_off.name, "MarkerStalled") == [None, ("True", "CommitsWithoutMarker"), None]
    assert history.of(switched_off.name, "OutputStalled") == [None]
    assert history.of(late.name, "Fresh")[-3:] == [
        ("True", "CommitInTime"),
        ("False", "CommitTooOld"),
        ("True", "CommitInTime"),
    ]
    for each in (late, *with_marker):
        assert history.since_ready(each.name) == [("True", "Running")], each.name
