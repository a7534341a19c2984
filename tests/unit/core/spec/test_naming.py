"""Names of pipelines: which ones a spout can run under, and what is proposed for the others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.spec import naming

#: As Kubernetes has them: of the Secret spout-pachctl-secret-NAME, and of the label pipeline-NAME-v1.
OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=80) | st.text("aZ0_-. ", max_size=80)


@pytest.mark.parametrize(
    ("name", "proposed", "reason"),
    [
        ("My_Spout", "my-spout", "as Pachyderm would name its ReplicationController"),
        ("my-spout-", "my-spout", "a dash at the end"),
        ("kafka_spout", "kafka-spout", "one of Pachyderm's own examples"),
        ("my.spout", "my-spout", "the name of an object"),
        ("a  b", "a-b", "one dash for all that is between two words"),
        ("a--b", "a--b", "dashes that are there stay"),
        ("Zähler №5", "zahler-no5", "letters of other scripts, where they have a form in ASCII"),
        ("計数", "", "nothing is left"),
        ("--", "", "nothing is left"),
        ("n" * 60, "n" * 51, "cut to what fits"),
        ("n" * 50 + "-x", "n" * 50, "no dash at the end of what is cut"),
    ],
    ids=lambda text: text if text.isascii() else "of other letters",
)
def test_the_name_that_would_do(name: str, proposed: str, reason: str) -> None:
    assert naming.proposal(name) == proposed, reason


@given(names)
def test_a_proposed_name_is_valid(name: str) -> None:
    proposed = naming.proposal(name)

    assert proposed == "" or naming.is_runnable(proposed)


@given(names)
def test_a_name_that_does_is_its_own_proposal(name: str) -> None:
    assert not naming.is_runnable(name) or naming.proposal(name) == name


@given(names)
def test_a_spout_can_run_where_kubernetes_takes_what_pachyderm_makes_of_the_name(name: str) -> None:
    taken = OBJECT_NAME.fullmatch(name) is not None and LABEL.fullmatch(f"pipeline-{name}-v1") is not None

    assert naming.is_runnable(name) == taken
