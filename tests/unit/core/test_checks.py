"""Each check of a decision alone: what it answers, and where it leaves the answer to the next one."""

import dataclasses
from typing import Any

import pytest

from spout_operator.core import decision
from spout_operator.core.decision import Action, Check, Decision, Situation, Written
from spout_operator.core.errors import Stalled
from spout_operator.core.model import AdoptionPolicy, PipelineState, Resources, Service, SpoutOptions, Toleration
from spout_operator.core.policy import Denial, Permission
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Server
from spout_operator.core.spec.defaults import with_server_defaults
from spout_operator.core.spec.quantity import cores
from tests.builders import CAPABILITIES, a_name, a_pipeline, a_situation, a_spec, a_spout, an_owner

DENIAL = Denial(
    permission=Permission.SECRETS, field="spec.transform.secrets[0].name", found="the Secret 's'", would_allow="..."
)
ADOPTS = a_spout(adoption_policy=AdoptionPolicy.IF_UNOWNED)
UNOWNED = a_pipeline(owner=None)
#: A server that writes owners into new versions only.
RESTARTS = dataclasses.replace(CAPABILITIES, takes_over_without_restart=False)
EDITED = a_spec(description="edited")
STOPPED = a_pipeline(stopped=True, state=PipelineState.PAUSED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A situation that a check answers: by a step, or by a reason for which a person must act."""

    reason: str
    check: Check
    situation: Situation
    answer: Action | Reason | None


def options(**fields: Any) -> Situation:
    """A Spout that asks for these, and a server that has neither markers nor overwrite."""
    spout = a_spout(spec=a_spec(spout=SpoutOptions(**fields)))
    lacking = dataclasses.replace(CAPABILITIES, marker=False, overwrite=False)
    return a_situation(spout=spout, observed=None, capabilities=lacking)


def seen_on(version: str, address: str = "grpc://pachd:650", **fields: Any) -> Situation:
    """A Spout whose pipeline was on a server of this version when it was last observed; now one of 2.0.0 answers."""
    fields = {"observed": None, **fields}
    return a_situation(last_seen=Server(address=address, version=version), **fields)


ROWS = [
    Row(
        reason="the policy refuses what a new Spout asks for",
        check=decision.policy_denies,
        situation=a_situation(observed=None, denials=(DENIAL,)),
        answer=Reason.POLICY_DENIED,
    ),
    Row(
        reason="the policy refuses a name, and the pipeline of that name is not this Spout's",
        check=decision.policy_denies,
        situation=a_situation(observed=a_pipeline(owner=an_owner(cluster="another")), denials=(DENIAL,)),
        answer=Reason.POLICY_DENIED,
    ),
    Row(
        reason="a pipeline that is no spout any more is not this Spout's either",
        check=decision.policy_denies,
        situation=a_situation(observed=a_pipeline(spec=None), denials=(DENIAL,)),
        answer=Reason.POLICY_DENIED,
    ),
    Row(
        reason="a pipeline of this Spout's own goes on as it is, whatever the Spout asks for",
        check=decision.policy_denies,
        situation=a_situation(spout=a_spout(spec=EDITED, suspend=True), denials=(DENIAL,)),
        answer=Action.NONE,
    ),
    Row(
        reason="the policy allows it",
        check=decision.policy_denies,
        situation=a_situation(observed=None),
        answer=None,
    ),
    Row(
        reason="the pipeline was on a server of another major version",
        check=decision.server_was_replaced,
        situation=seen_on("1.13.4"),
        answer=Reason.PACHYDERM_REPLACED,
    ),
    Row(
        reason="at another address, which somebody may have given to the operator, that is no less of a loss",
        check=decision.server_was_replaced,
        situation=seen_on("1.13.4", address="grpc://old:650"),
        answer=Reason.PACHYDERM_REPLACED,
    ),
    Row(
        reason="an upgrade within a major version keeps all pipelines: somebody deleted this one",
        check=decision.server_was_replaced,
        situation=seen_on("2.12.2"),
        answer=None,
    ),
    Row(
        reason="the pipeline was brought over",
        check=decision.server_was_replaced,
        situation=seen_on("1.13.4", observed=a_pipeline()),
        answer=None,
    ),
    Row(
        reason="there never was a pipeline",
        check=decision.server_was_replaced,
        situation=a_situation(observed=None),
        answer=None,
    ),
    Row(
        reason="a marker on a server without",
        check=decision.server_cannot,
        situation=options(marker="offset"),
        answer=Reason.UNSUPPORTED_BY_SERVER,
    ),
    Row(
        reason="overwrite on a server without",
        check=decision.server_cannot,
        situation=options(overwrite=True),
        answer=Reason.UNSUPPORTED_BY_SERVER,
    ),
    Row(
        reason="a project on a server without",
        check=decision.server_cannot,
        situation=a_situation(
            spout=a_spout(pipeline_name=a_name(project="ingest")),
            observed=None,
            capabilities=dataclasses.replace(CAPABILITIES, projects=False),
        ),
        answer=Reason.UNSUPPORTED_BY_SERVER,
    ),
    Row(
        reason="the project that every server has",
        check=decision.server_cannot,
        situation=a_situation(capabilities=dataclasses.replace(CAPABILITIES, projects=False)),
        answer=None,
    ),
    Row(
        reason="tolerations on a server without",
        check=decision.server_cannot,
        situation=a_situation(
            spout=a_spout(spec=a_spec(tolerations=(Toleration(key="ingest", operator="Exists"),))),
            capabilities=dataclasses.replace(CAPABILITIES, tolerations=False),
        ),
        answer=Reason.UNSUPPORTED_BY_SERVER,
    ),
    Row(
        reason="requests of the sidecar on a server without",
        check=decision.server_cannot,
        situation=a_situation(
            spout=a_spout(spec=a_spec(sidecar_resource_requests=Resources(cpu=cores("1")))),
            capabilities=dataclasses.replace(CAPABILITIES, sidecar_resource_requests=False),
        ),
        answer=Reason.UNSUPPORTED_BY_SERVER,
    ),
    Row(reason="neither is asked for", check=decision.server_cannot, situation=options(), answer=None),
    Row(reason="the server has both", check=decision.server_cannot, situation=a_situation(), answer=None),
    Row(
        reason="an older Spout, and no pipeline yet",
        check=decision.older_spout_wins,
        situation=a_situation(observed=None, older_claim="ingest/older"),
        answer=Reason.PIPELINE_CONFLICT,
    ),
    Row(
        reason="an older Spout, and a pipeline: its owner decides",
        check=decision.older_spout_wins,
        situation=a_situation(older_claim="ingest/older"),
        answer=None,
    ),
    Row(
        reason="an older Spout, and a pipeline that both would take over",
        check=decision.older_spout_wins,
        situation=a_situation(spout=ADOPTS, observed=UNOWNED, older_claim="ingest/older"),
        answer=Reason.PIPELINE_CONFLICT,
    ),
    Row(reason="no older Spout", check=decision.older_spout_wins, situation=a_situation(observed=None), answer=None),
    Row(reason="no pipeline", check=decision.is_missing, situation=a_situation(observed=None), answer=Action.CREATE),
    Row(reason="a pipeline", check=decision.is_missing, situation=a_situation(), answer=None),
    Row(
        reason="another owner",
        check=decision.is_not_ours,
        situation=a_situation(observed=a_pipeline(owner=an_owner(cluster="another"))),
        answer=Reason.PIPELINE_NOT_OWNED,
    ),
    Row(
        reason="no spout",
        check=decision.is_not_ours,
        situation=a_situation(observed=a_pipeline(spec=None)),
        answer=Reason.PIPELINE_NOT_OWNED,
    ),
    Row(
        reason="no owner",
        check=decision.is_not_ours,
        situation=a_situation(observed=UNOWNED),
        answer=Reason.PIPELINE_NOT_OWNED,
    ),
    Row(
        reason="no owner, and the Spout may take it over",
        check=decision.is_not_ours,
        situation=a_situation(spout=ADOPTS, observed=UNOWNED),
        answer=None,
    ),
    Row(
        reason="no owner, and the Spout may take it over",
        check=decision.is_unowned,
        situation=a_situation(spout=ADOPTS, observed=UNOWNED),
        answer=Action.TAKE_OVER,
    ),
    Row(
        reason="the server would restart the spout for nothing else",
        check=decision.is_unowned,
        situation=a_situation(spout=ADOPTS, observed=UNOWNED, capabilities=RESTARTS),
        answer=Reason.ADOPTION_RESTARTS,
    ),
    Row(
        reason="the update that has to be made takes it over too",
        check=decision.is_unowned,
        situation=a_situation(spout=dataclasses.replace(ADOPTS, spec=EDITED), observed=UNOWNED, capabilities=RESTARTS),
        answer=Action.UPDATE,
    ),
    Row(
        reason="it has an owner",
        check=decision.is_unowned,
        situation=a_situation(spout=ADOPTS),
        answer=None,
    ),
    Row(reason="this Spout's", check=decision.is_not_ours, situation=a_situation(), answer=None),
    Row(
        reason="another marker",
        check=decision.marker_must_stay,
        situation=a_situation(spout=a_spout(spec=a_spec(spout=SpoutOptions(marker="other")))),
        answer=Reason.INVALID_SPEC,
    ),
    Row(
        reason="no marker any more",
        check=decision.marker_must_stay,
        situation=a_situation(spout=a_spout(spec=a_spec(spout=SpoutOptions()))),
        answer=Reason.INVALID_SPEC,
    ),
    Row(
        reason="another marker, which this server can change",
        check=decision.marker_must_stay,
        situation=a_situation(
            spout=a_spout(spec=a_spec(spout=SpoutOptions(marker="other"))),
            capabilities=dataclasses.replace(CAPABILITIES, marker_can_change=True),
        ),
        answer=None,
    ),
    Row(
        reason="a first marker",
        check=decision.marker_must_stay,
        situation=a_situation(observed=a_pipeline(spec=a_spec(spout=SpoutOptions()))),
        answer=None,
    ),
    Row(
        reason="no pipeline, so no marker that would be lost",
        check=decision.marker_must_stay,
        situation=a_situation(observed=None),
        answer=None,
    ),
    Row(
        reason="it was written so, and reads otherwise",
        check=decision.server_keeps_other_values,
        situation=a_situation(spout=a_spout(spec=EDITED), written=Written(spec=EDITED, version=1)),
        answer=Reason.PIPELINE_REJECTED,
    ),
    Row(
        reason="somebody else has updated it since",
        check=decision.server_keeps_other_values,
        situation=a_situation(
            spout=a_spout(spec=EDITED), written=Written(spec=EDITED, version=1), observed=a_pipeline(version=2)
        ),
        answer=None,
    ),
    Row(
        reason="another spec was written",
        check=decision.server_keeps_other_values,
        situation=a_situation(spout=a_spout(spec=EDITED), written=Written(spec=a_spec(), version=1)),
        answer=None,
    ),
    Row(
        reason="it came out as it was written",
        check=decision.server_keeps_other_values,
        situation=a_situation(written=Written(spec=a_spec(), version=1)),
        answer=None,
    ),
    Row(
        reason="the spec differs",
        check=decision.differs,
        situation=a_situation(spout=a_spout(spec=EDITED)),
        answer=Action.UPDATE,
    ),
    Row(reason="the spec is the same", check=decision.differs, situation=a_situation(), answer=None),
    Row(
        reason="no pipeline to compare with", check=decision.differs, situation=a_situation(observed=None), answer=None
    ),
    Row(
        reason="suspended, and it runs",
        check=decision.has_to_stop,
        situation=a_situation(spout=a_spout(suspend=True)),
        answer=Action.STOP,
    ),
    Row(
        reason="suspended, and stopped",
        check=decision.has_to_stop,
        situation=a_situation(spout=a_spout(suspend=True), observed=STOPPED),
        answer=None,
    ),
    Row(reason="not suspended", check=decision.has_to_stop, situation=a_situation(), answer=None),
    Row(
        reason="not suspended, and stopped",
        check=decision.has_to_start,
        situation=a_situation(observed=STOPPED),
        answer=Action.START,
    ),
    Row(
        reason="suspended: it stays stopped",
        check=decision.has_to_start,
        situation=a_situation(spout=a_spout(suspend=True), observed=STOPPED),
        answer=None,
    ),
    Row(reason="it runs", check=decision.has_to_start, situation=a_situation(), answer=None),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.check.__name__}: {row.reason}")
def test_a_check_answers_its_own_question_only(row: Row) -> None:
    if isinstance(row.answer, Reason):
        with pytest.raises(Stalled) as error:
            row.check(row.situation)
        assert error.value.reason is row.answer, row.reason
        return
    found = row.check(row.situation)
    assert (found.action if found is not None else None) is row.answer, row.reason


def test_every_check_has_a_row_in_which_it_answers_and_one_in_which_it_does_not() -> None:
    for check in decision.CHECKS:
        answers = {row.answer is None for row in ROWS if row.check is check}
        assert answers == {True, False}, check


def test_an_unsupported_spec_is_told_with_all_its_fields() -> None:
    spec = a_spec(
        spout=SpoutOptions(marker="offset", overwrite=True),
        tolerations=(Toleration(operator="Exists"),),
        sidecar_resource_requests=Resources(cpu=cores("1")),
    )
    lacking = dataclasses.replace(
        CAPABILITIES,
        projects=False,
        marker=False,
        overwrite=False,
        tolerations=False,
        sidecar_resource_requests=False,
    )
    spout = a_spout(pipeline_name=a_name(project="ingest"), spec=spec)

    with pytest.raises(Stalled) as error:
        decision.decide(a_situation(spout=spout, observed=None, capabilities=lacking))

    assert error.value.message == (
        "spec.project, spec.spout.marker, spec.spout.overwrite, spec.tolerations, spec.sidecarResourceRequests: "
        "this version of Pachyderm does not support it; take it out of the spec, or use a version that does"
    )


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        pytest.param(None, None, id="no-service"),
        pytest.param(Service(internal_port=80), Service(internal_port=80, type="NodePort"), id="no-type"),
        pytest.param(
            Service(internal_port=80, type="ClusterIP"), Service(internal_port=80, type="ClusterIP"), id="a-type"
        ),
    ],
)
def test_a_default_of_the_server_is_no_difference(asked: Service | None, kept: Service | None) -> None:
    spec = with_server_defaults(a_spec(spout=SpoutOptions(service=asked)), CAPABILITIES)

    assert spec == a_spec(spout=SpoutOptions(service=kept))


REFUSED = (
    "spec.transform.secrets[0].name: the policy does not allow the Secret 's' in the namespace 'ingest'; "
    "a rule with namespaces: [ingest] and secrets: [s] would allow it"
)


def test_a_new_spout_that_the_policy_refuses_is_told_the_rule_that_it_lacks() -> None:
    denial = dataclasses.replace(DENIAL, would_allow="secrets: [s]")

    with pytest.raises(Stalled) as error:
        decision.decide(a_situation(observed=None, denials=(denial,)))

    assert (error.value.reason, error.value.message) == (Reason.POLICY_DENIED, REFUSED)


def test_a_spout_that_the_policy_refuses_is_told_that_its_pipeline_goes_on() -> None:
    denial = dataclasses.replace(DENIAL, would_allow="secrets: [s]")

    assert decision.decide(a_situation(spout=a_spout(spec=EDITED), denials=(denial,))) == Decision(
        action=Action.NONE,
        reason=Reason.POLICY_DENIED,
        message=f"{REFUSED}. The pipeline goes on as it is; until the policy allows the Spout, no edit is taken in",
        is_stalled=True,
    )
