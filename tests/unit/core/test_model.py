"""The nouns: how those are printed that messages hold."""

import pytest

from spout_operator.core.model import PipelineName
from tests.builders import a_name


@pytest.mark.parametrize(
    ("name", "printed", "reason"),
    [
        (a_name("my-spout"), "my-spout", "the project that every server has is not told"),
        (a_name("my-spout", "ingest"), "ingest/my-spout", "any other is: two projects can have a pipeline of one name"),
    ],
)
def test_the_name_of_a_pipeline_is_printed_with_its_project(name: PipelineName, printed: str, reason: str) -> None:
    assert str(name) == printed, reason
    assert repr(name) == f"'{printed}'", reason
