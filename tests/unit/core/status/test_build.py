"""The whole status: what is known is shown, what is not asked anew stays, and nothing new is no write."""

import datetime
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.errors import Failure, Stalled
from spout_operator.core.model import PipelineState
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.server import Server
from spout_operator.core.status import commits as progress
from spout_operator.core.status import conditions, marker
from spout_operator.core.status.build import StatusInputs, build, last_seen
from spout_operator.core.status.commits import CommitCount
from tests.builders import NOON, a_commit, a_marker, a_name, a_pipeline

LATER = NOON + datetime.timedelta(hours=1)
SERVER = Server(address="grpc://pachd:650", version="1.13.4")
SECRETS = Secrets(["hunter2"])
COUNT = CommitCount(total=1042, last=a_commit(id="c1042", size=7))


def inputs(**fields: Any) -> StatusInputs:
    return StatusInputs(**{"conditions": conditions.pending(), "server": SERVER, **fields})


def built(
    previous: dict[str, Any], known: StatusInputs, *, generation: int = 4, now: datetime.datetime = NOON
) -> dict[str, Any]:
    return build(previous, known, secrets=SECRETS, generation=generation, now=now)


EVERYTHING = inputs(
    pipeline=a_pipeline(reason="because", workers=(1, 2)), commits=COUNT, marker=marker.to_status(a_marker())
)
FULL = built({}, EVERYTHING)


def test_all_that_is_known_is_shown() -> None:
    shown = built({}, EVERYTHING)

    assert shown == {
        "observedGeneration": 4,
        "conditions": conditions.merge([], conditions.pending(), secrets=SECRETS, generation=4, now=NOON),
        "pipeline": {
            "name": "my-spout",
            "version": 1,
            "specCommit": "speccommit1",
            "state": "Running",
            "reason": "because",
            "stopped": False,
            "workersAvailable": 1,
            "workersRequested": 2,
            "createdAt": "2026-01-31T12:00:00Z",
        },
        "commits": {
            "total": 1042,
            "last": {"id": "c1042", "finishedAt": "2026-01-31T12:00:00Z", "sizeBytes": 7},
        },
        "marker": {
            "path": "offset",
            "commit": "markercommit1",
            "updatedAt": "2026-01-31T12:00:00Z",
            "summary": "1041",
            "sizeBytes": 4,
            "value": "1041",
        },
        "pachyderm": {"address": "grpc://pachd:650", "version": "1.13.4"},
    }


def test_the_project_of_a_pipeline_is_shown_where_it_is_not_the_one_that_every_server_has() -> None:
    in_project = built({}, inputs(pipeline=a_pipeline(name=a_name(project="ingest"))))["pipeline"]

    assert (in_project["project"], in_project["name"]) == ("ingest", "my-spout")
    assert "project" not in built({}, inputs(pipeline=a_pipeline()))["pipeline"]


def test_the_first_status_has_conditions_and_the_address() -> None:
    shown = built({}, inputs(server=Server(address="grpc://pachd:650")))

    assert shown.keys() == {"observedGeneration", "conditions", "pachyderm"}
    assert shown["pachyderm"] == {"address": "grpc://pachd:650"}


def test_a_section_without_news_stays() -> None:
    shown = built(FULL, inputs(server=Server(address=SERVER.address)))

    assert shown == FULL


def test_a_section_with_news_is_replaced() -> None:
    new = inputs(
        pipeline=a_pipeline(version=2, state=PipelineState.STARTING),
        commits=progress.NOTHING_COUNTED,
        marker={"path": "position"},
    )

    shown = built(FULL, new)

    assert (shown["pipeline"]["version"], shown["pipeline"]["state"]) == (2, "Starting")
    assert "reason" not in shown["pipeline"], "a section is replaced as a whole"
    assert shown["commits"] == {"total": 0}
    assert shown["marker"] == {"path": "position"}


def test_a_spout_without_a_marker_shows_none() -> None:
    assert "marker" not in built(FULL, inputs(marker={}))


def test_without_a_pipeline_nothing_is_told_of_one() -> None:
    shown = built(FULL, inputs(forgets=True))

    assert shown.keys() == {"observedGeneration", "conditions", "pachyderm"}
    assert shown["pachyderm"] == FULL["pachyderm"], "the server is there all the same"


def test_transition_times_outlive_the_pipeline() -> None:
    shown = built(FULL, inputs(forgets=True), now=LATER)

    assert shown["conditions"] == FULL["conditions"]


WITHOUT_PIPELINE = {name: section for name, section in FULL.items() if name in {"conditions", "pachyderm"}}
OTHER_VERSION = conditions.of_failure(Failure.of(Stalled(Reason.UNSUPPORTED_PACHYDERM, "it is 1.14.0")))


def test_the_version_of_another_server_is_not_shown() -> None:
    shown = built(WITHOUT_PIPELINE, inputs(server=Server(address="grpc://another:650")))

    assert shown["pachyderm"] == {"address": "grpc://another:650"}


def test_the_version_of_before_is_shown_while_the_server_does_not_tell_it() -> None:
    shown = built(WITHOUT_PIPELINE, inputs(server=Server(address=SERVER.address)))

    assert shown["pachyderm"] == {"address": SERVER.address, "version": SERVER.version}


def test_the_version_of_before_is_not_shown_of_a_server_that_has_another_by_now() -> None:
    shown = built(WITHOUT_PIPELINE, inputs(server=Server(address=SERVER.address), conditions=OTHER_VERSION))

    assert shown["pachyderm"] == {"address": SERVER.address}


@pytest.mark.parametrize(
    "new",
    [
        inputs(server=Server(address="grpc://another:650")),
        inputs(server=Server(address=SERVER.address), conditions=OTHER_VERSION),
    ],
    ids=["another address", "a version that is not supported"],
)
def test_the_server_on_which_the_pipeline_was_last_seen_is_kept_as_long_as_the_pipeline(new: StatusInputs) -> None:
    shown = built(FULL, new)

    assert shown["pachyderm"] == FULL["pachyderm"]
    assert last_seen(shown) == SERVER


def test_the_server_is_the_newest_on_which_the_pipeline_was_observed() -> None:
    upgraded = Server(address="grpc://another:650", version="2.12.2")

    shown = built(FULL, inputs(server=upgraded, pipeline=a_pipeline()))

    assert last_seen(shown) == upgraded


@pytest.mark.parametrize(
    "status",
    [
        {},
        WITHOUT_PIPELINE,
        {"pipeline": FULL["pipeline"]},
        {**FULL, "pachyderm": {"address": SERVER.address}},
    ],
    ids=["no status yet", "no pipeline", "no Pachyderm", "no version"],
)
def test_a_status_may_not_tell_where_the_pipeline_was(status: dict[str, Any]) -> None:
    assert last_seen(status) is None


def test_a_status_that_tells_of_a_version_alone_was_seen_at_no_known_address() -> None:
    assert last_seen({**FULL, "pachyderm": {"version": "1.13.4"}}) == Server(address="", version="1.13.4")


def test_the_generation_is_that_of_the_spec_it_is_about() -> None:
    shown = built(FULL, EVERYTHING, generation=5)

    assert shown["observedGeneration"] == 5
    assert {condition["observedGeneration"] for condition in shown["conditions"]} == {5}


@pytest.mark.parametrize(
    ("field", "value", "absent"),
    [
        ("reason", "", "reason"),
        ("workers", None, "workersAvailable"),
        ("workers", None, "workersRequested"),
        ("created_at", None, "createdAt"),
    ],
)
def test_the_status_leaves_out_what_pachyderm_did_not_tell(field: str, value: object, absent: str) -> None:
    assert absent not in built({}, inputs(pipeline=a_pipeline(**{field: value})))["pipeline"]


def test_the_status_quotes_pachyderm_without_secrets() -> None:
    failed = inputs(
        conditions=conditions.of_failure(
            Failure.of(Stalled(Reason.PIPELINE_REJECTED, "refused", said='bad\n"hunter2"'))
        ),
        pipeline=a_pipeline(reason="cannot\n use hunter2"),
    )

    shown = built({}, failed)

    assert shown["pipeline"]["reason"] == "cannot use [redacted]"
    assert {condition["message"] for condition in shown["conditions"]} == {'refused (bad "[redacted]")'}


def test_a_quotation_of_pachyderm_is_bounded() -> None:
    shown = built({}, inputs(pipeline=a_pipeline(reason="r" * 100_000)))

    assert len(shown["pipeline"]["reason"]) <= 1024


def test_the_operator_starts_a_count_from_what_the_status_shows() -> None:
    assert progress.from_status(FULL["commits"]) == COUNT


known = st.builds(
    inputs,
    pipeline=st.none() | st.builds(a_pipeline, version=st.integers(1, 3), workers=st.sampled_from([None, (1, 1)])),
    commits=st.sampled_from([None, progress.NOTHING_COUNTED, COUNT]),
    marker=st.sampled_from([None, {}, marker.to_status(a_marker())]),
    server=st.sampled_from([SERVER, Server(address=SERVER.address)]),
    forgets=st.booleans(),
)
statuses = st.sampled_from([{}, FULL])


@given(statuses, known)
def test_knowing_the_same_again_is_no_write(previous: dict[str, Any], again: StatusInputs) -> None:
    shown = built(previous, again)

    assert built(shown, again, now=LATER) == shown


@given(statuses, known)
def test_a_status_is_plain_json(previous: dict[str, Any], found: StatusInputs) -> None:
    shown = built(previous, found)

    # What the API server hands back is what is compared with next time.
    assert json.loads(json.dumps(shown)) == shown


@given(statuses, known)
def test_the_previous_status_is_not_changed_in_place(previous: dict[str, Any], found: StatusInputs) -> None:
    before = json.dumps(previous)

    built(previous, found, now=LATER)

    assert json.dumps(previous) == before
