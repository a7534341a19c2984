"""What is known of the pipelines, held against a list."""

import copy
import dataclasses
from typing import Any

import pytest

from spout_operator.controller.head_reads import HeadReads
from spout_operator.controller.observations import ObservationCache
from spout_operator.core.model import Heads, Pipeline, PipelineName, PipelineState
from tests.builders import a_pipeline, a_spec

NAME = a_pipeline().name


def a_knowledge() -> ObservationCache:
    return ObservationCache(HeadReads(interval=10, quiet_interval=300))


def listed(**fields: Any) -> dict[PipelineName, Pipeline]:
    """What a list has, which does not tell of workers."""
    return {NAME: dataclasses.replace(a_pipeline(**fields), workers=None)}


CHANGES: list[tuple[dict[PipelineName, Pipeline], str]] = [
    (listed(version=2), "a new version"),
    (listed(state=PipelineState.CRASHING), "another state"),
    (listed(spec=a_spec(description="other")), "another spec"),
    ({}, "it is gone"),
]


@pytest.mark.parametrize(("after", "reason"), CHANGES, ids=[reason for _, reason in CHANGES])
def test_a_changed_pipeline_is_told_once_and_has_to_be_observed_anew(
    after: dict[PipelineName, Pipeline], reason: str
) -> None:
    knowledge = a_knowledge()
    knowledge.remember(a_pipeline())
    assert knowledge.compare_with(listed(), [NAME]) == [], reason

    assert knowledge.compare_with(after, [NAME]) == [NAME], reason
    assert knowledge.observed(NAME) is None, reason
    assert knowledge.compare_with(after, [NAME]) == [], reason


@pytest.mark.parametrize(("after", "reason"), CHANGES, ids=[reason for _, reason in CHANGES])
def test_a_change_of_a_pipeline_that_was_not_observed_is_told_once(
    after: dict[PipelineName, Pipeline], reason: str
) -> None:
    knowledge = a_knowledge()
    knowledge.compare_with(listed(), [NAME])

    assert knowledge.compare_with(after, [NAME]) == [NAME], reason
    assert knowledge.compare_with(copy.deepcopy(after), [NAME]) == [], "it is as before, though read anew"


def test_an_observation_that_was_overtaken_by_a_list_is_found_by_the_next_one() -> None:
    knowledge = a_knowledge()
    new = listed(version=2)
    knowledge.compare_with(new, [NAME])
    knowledge.remember(a_pipeline(version=1))

    assert knowledge.compare_with(new, [NAME]) == [NAME]


def test_before_the_first_list_nothing_has_changed() -> None:
    """Whoever is new is looked at anyway: a restart must not look twice."""
    assert a_knowledge().compare_with(listed(), [NAME]) == []


def test_a_pipeline_is_in_memory_once() -> None:
    knowledge, found = a_knowledge(), listed(spec=a_spec(description="equal"))
    knowledge.remember(a_pipeline(spec=a_spec(description="equal")))

    knowledge.compare_with(found, [NAME])

    known = knowledge.observed(NAME)
    assert known is not None
    assert known.spec is found[NAME].spec
    assert known.workers == (1, 1)

    knowledge.compare_with(found, [NAME])
    assert knowledge.observed(NAME) is known, "nothing is made anew for a list that has the same in it"


def test_a_pipeline_that_no_spout_names_is_dropped() -> None:
    knowledge = a_knowledge()
    knowledge.remember(a_pipeline())
    knowledge.heads.note(NAME, Heads())

    knowledge.compare_with(listed(), [])

    assert knowledge.observed(NAME) is None
    assert knowledge.heads.begin_poll([]) == []
