"""Decisions: the one step that brings a pipeline nearer to what its Spout asks for."""

import dataclasses
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spout_operator.core.decision import Action, Decision, Written, decide
from spout_operator.core.deletion import decide_deletion, held
from spout_operator.core.errors import Stalled
from spout_operator.core.model import (
    AdoptionPolicy,
    DeletionPolicy,
    Owner,
    Pipeline,
    PipelineName,
    PipelineSpec,
    PipelineState,
    Spout,
    SpoutOptions,
)
from spout_operator.core.reasons import Reason
from spout_operator.core.server import Capabilities, Server
from tests.builders import CAPABILITIES, a_key, a_name, a_pipeline, a_situation, a_spec, a_spout, a_transform, an_owner
from tests.unit.core.strategies import specs

OTHER_IMAGE = a_spec(transform=a_transform(image="other:2"))
OTHERWISE = a_spec(transform=a_transform(image="other:2"), description="new")
ADOPTS = a_spout(adoption_policy=AdoptionPolicy.IF_UNOWNED)
OTHER_SPOUT = an_owner(spout=a_key("another"))
OTHER_CLUSTER = an_owner(cluster="cluster-2")
#: A server that writes owners into new versions only.
RESTARTS = dataclasses.replace(CAPABILITIES, takes_over_without_restart=False)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is asked for and what is there; each has a default for which nothing is left to do."""

    reason: str
    spout: Spout = dataclasses.field(default_factory=a_spout)
    observed: Pipeline | None = dataclasses.field(default_factory=a_pipeline)
    older_claim: str | None = None
    written: Written | None = None
    capabilities: Capabilities = CAPABILITIES


def decided(case: Case) -> Decision:
    return decide(
        a_situation(
            spout=case.spout,
            observed=case.observed,
            older_claim=case.older_claim,
            written=case.written,
            capabilities=case.capabilities,
        )
    )


@dataclass(frozen=True, kw_only=True)
class Step(Case):
    """A case, the step that is made, its whole message and the fields that it changes."""

    action: Action
    shows: Reason
    says: str
    changed: tuple[str, ...] = ()


STEPS = [
    Step(
        reason="there is no pipeline",
        observed=None,
        action=Action.CREATE,
        shows=Reason.CREATING,
        says="creating the pipeline",
    ),
    Step(
        reason="a suspended one is made too: it is stopped in the next step",
        spout=a_spout(suspend=True),
        observed=None,
        action=Action.CREATE,
        shows=Reason.CREATING,
        says="creating the pipeline",
    ),
    Step(
        reason="one that we wrote and that is gone is made anew",
        observed=None,
        written=Written(spec=a_spec(), version=1),
        action=Action.CREATE,
        shows=Reason.CREATING,
        says="creating the pipeline",
    ),
    Step(
        reason="the pipeline is as asked for: no write",
        action=Action.NONE,
        shows=Reason.APPLIED,
        says="the pipeline is as the Spout asks",
    ),
    Step(
        reason="a pipeline without an owner is taken over, where that is asked for",
        spout=ADOPTS,
        observed=a_pipeline(owner=None),
        action=Action.TAKE_OVER,
        shows=Reason.ADOPTING,
        says="taking over the pipeline 'my-spout', which has no owner",
    ),
    Step(
        reason="it is taken over before it is updated: the update is a step of its own",
        spout=dataclasses.replace(ADOPTS, spec=OTHER_IMAGE),
        observed=a_pipeline(owner=None),
        action=Action.TAKE_OVER,
        shows=Reason.ADOPTING,
        says="taking over the pipeline 'my-spout', which has no owner",
    ),
    Step(
        reason="where the server writes the owner into a new version only, the update takes it over",
        spout=dataclasses.replace(ADOPTS, spec=OTHERWISE),
        observed=a_pipeline(owner=None),
        capabilities=RESTARTS,
        action=Action.UPDATE,
        shows=Reason.ADOPTING,
        says="taking over the pipeline 'my-spout', which has no owner, with an update: transform.image, description",
        changed=("transform.image", "description"),
    ),
    Step(
        reason="what is ours already needs no taking over",
        spout=ADOPTS,
        action=Action.NONE,
        shows=Reason.APPLIED,
        says="the pipeline is as the Spout asks",
    ),
    Step(
        reason="an older claim does not take away what is ours already",
        older_claim="ingest/older",
        action=Action.NONE,
        shows=Reason.APPLIED,
        says="the pipeline is as the Spout asks",
    ),
    Step(
        reason="a field differs: the message names it",
        spout=a_spout(spec=OTHER_IMAGE),
        action=Action.UPDATE,
        shows=Reason.UPDATING,
        says="updating the pipeline: transform.image",
        changed=("transform.image",),
    ),
    Step(
        reason="several fields differ: the message names each",
        spout=a_spout(spec=OTHERWISE),
        action=Action.UPDATE,
        shows=Reason.UPDATING,
        says="updating the pipeline: transform.image, description",
        changed=("transform.image", "description"),
    ),
    Step(
        reason="somebody updated the pipeline after our write: it is brought back",
        spout=a_spout(spec=OTHER_IMAGE),
        observed=a_pipeline(version=3),
        written=Written(spec=OTHER_IMAGE, version=2),
        action=Action.UPDATE,
        shows=Reason.UPDATING,
        says="updating the pipeline: transform.image",
        changed=("transform.image",),
    ),
    Step(
        reason="another spec was written before: this one has not been tried",
        spout=a_spout(spec=OTHER_IMAGE),
        observed=a_pipeline(version=2),
        written=Written(spec=a_spec(), version=2),
        action=Action.UPDATE,
        shows=Reason.UPDATING,
        says="updating the pipeline: transform.image",
        changed=("transform.image",),
    ),
    Step(
        reason="a marker can be added: there is no old position that would be lost",
        observed=a_pipeline(spec=a_spec(spout=SpoutOptions())),
        action=Action.UPDATE,
        shows=Reason.UPDATING,
        says="updating the pipeline: spout.marker",
        changed=("spout.marker",),
    ),
    Step(
        reason="a failed pipeline whose spec differs is updated: that mends it",
        spout=a_spout(spec=OTHER_IMAGE),
        observed=a_pipeline(state=PipelineState.FAILURE),
        action=Action.UPDATE,
        shows=Reason.UPDATING,
        says="updating the pipeline: transform.image",
        changed=("transform.image",),
    ),
    Step(
        reason="a failed pipeline that is as asked for is left alone: writing would not mend it",
        observed=a_pipeline(state=PipelineState.FAILURE),
        action=Action.NONE,
        shows=Reason.APPLIED,
        says="the pipeline is as the Spout asks",
    ),
    Step(
        reason="the spec is brought about before the pipeline is stopped",
        spout=a_spout(spec=OTHER_IMAGE, suspend=True),
        action=Action.UPDATE,
        shows=Reason.UPDATING,
        says="updating the pipeline: transform.image",
        changed=("transform.image",),
    ),
    Step(
        reason="suspend is asked for and it runs",
        spout=a_spout(suspend=True),
        action=Action.STOP,
        shows=Reason.STOPPING,
        says="stopping the pipeline: spec.suspend is true",
    ),
    Step(
        reason="suspend is asked for and it is stopped",
        spout=a_spout(suspend=True),
        observed=a_pipeline(stopped=True, state=PipelineState.PAUSED),
        action=Action.NONE,
        shows=Reason.APPLIED,
        says="the pipeline is as the Spout asks",
    ),
    Step(
        reason="it is stopped and should run",
        observed=a_pipeline(stopped=True, state=PipelineState.PAUSED),
        action=Action.START,
        shows=Reason.STARTING,
        says="starting the pipeline: spec.suspend is not true",
    ),
    Step(
        reason="stopped by somebody, still coming down: it is started all the same",
        observed=a_pipeline(stopped=True, state=PipelineState.RUNNING),
        action=Action.START,
        shows=Reason.STARTING,
        says="starting the pipeline: spec.suspend is not true",
    ),
]


@pytest.mark.parametrize("case", STEPS, ids=lambda case: case.reason)
def test_the_next_step(case: Step) -> None:
    found = decided(case)

    assert found == Decision(action=case.action, reason=case.shows, message=case.says, changed=case.changed), (
        case.reason
    )


@dataclass(frozen=True, kw_only=True)
class StalledCase(Case):
    """A case in which a person has to act, and the parts of the message that tell how."""

    shows: Reason
    says: tuple[str, ...]


STALLED = [
    StalledCase(
        reason="of two Spouts that name one pipeline the older wins",
        observed=None,
        older_claim="ingest/older",
        shows=Reason.PIPELINE_CONFLICT,
        says=("ingest/older", "'my-spout'", "delete one of the two, or make this one anew with another spec.name"),
    ),
    StalledCase(
        reason="a pipeline without owner annotations is somebody's: the message says how to take it over",
        observed=a_pipeline(owner=None),
        shows=Reason.PIPELINE_NOT_OWNED,
        says=(
            "'my-spout'",
            "no owner annotations",
            "another spec.name",
            "set spec.adoptionPolicy to IfUnowned",
        ),
    ),
    StalledCase(
        reason="a pipeline of another kind cannot be taken over",
        spout=ADOPTS,
        observed=a_pipeline(owner=None, spec=None),
        shows=Reason.PIPELINE_NOT_OWNED,
        says=("left alone. Make this Spout anew with another spec.name",),
    ),
    StalledCase(
        reason="a pipeline of another Spout is not taken over",
        spout=ADOPTS,
        observed=a_pipeline(owner=OTHER_SPOUT),
        shows=Reason.PIPELINE_NOT_OWNED,
        says=("belongs to the Spout ingest/another", "left alone"),
    ),
    StalledCase(
        reason="the older of two Spouts takes a pipeline over",
        spout=ADOPTS,
        observed=a_pipeline(owner=None),
        older_claim="ingest/older",
        shows=Reason.PIPELINE_CONFLICT,
        says=("ingest/older", "wins"),
    ),
    StalledCase(
        reason="a server that would restart the spout for its owner alone does so only where that is asked for",
        spout=ADOPTS,
        observed=a_pipeline(owner=None),
        capabilities=RESTARTS,
        shows=Reason.ADOPTION_RESTARTS,
        says=(
            "the pipeline 'my-spout' is as the Spout asks and has no owner",
            "only into a new version of the pipeline, which restarts the spout once",
            "To allow the restart, set spec.restartNonce to any text",
        ),
    ),
    StalledCase(
        reason="a pipeline with another marker is not taken over: the update would lose the position",
        spout=dataclasses.replace(ADOPTS, spec=a_spec(spout=SpoutOptions(marker="position"))),
        observed=a_pipeline(owner=None),
        shows=Reason.INVALID_SPEC,
        says=("spec.spout.marker", "'offset'"),
    ),
    StalledCase(
        reason="a pipeline of another Spout is not taken",
        observed=a_pipeline(owner=OTHER_SPOUT),
        shows=Reason.PIPELINE_NOT_OWNED,
        says=("belongs to the Spout ingest/another; it is left alone: make this Spout anew with another spec.name",),
    ),
    StalledCase(
        reason="a pipeline of a Spout of the same name in another cluster is not taken: the cluster is told",
        observed=a_pipeline(owner=OTHER_CLUSTER),
        shows=Reason.PIPELINE_NOT_OWNED,
        says=("another cluster (cluster-2)", "left alone", "another spec.name", "--cluster-id=cluster-2"),
    ),
    StalledCase(
        reason="not even where it differs: a foreign pipeline is never written",
        spout=a_spout(spec=OTHER_IMAGE, suspend=True),
        observed=a_pipeline(owner=None),
        shows=Reason.PIPELINE_NOT_OWNED,
        says=("left alone",),
    ),
    StalledCase(
        reason="a pipeline with our stamp that is no spout was made so by somebody",
        observed=a_pipeline(spec=None),
        shows=Reason.PIPELINE_NOT_OWNED,
        says=(
            "'my-spout' carries this Spout's owner annotations but is no spout",
            "delete it in Pachyderm",
            "or set spec.deletionPolicy to Orphan",
            "and make the Spout anew with another spec.name",
        ),
    ),
    StalledCase(
        reason="Pachyderm took our write and shows other values: writing again would restart the spout for ever",
        spout=a_spout(spec=OTHERWISE),
        observed=a_pipeline(version=2),
        written=Written(spec=OTHERWISE, version=2),
        shows=Reason.PIPELINE_REJECTED,
        says=("asked for in transform.image, description;", "every update restarts the spout: change these fields"),
    ),
    StalledCase(
        reason="with another marker the worker would look for the new name in the old position, and fail for ever",
        spout=a_spout(spec=a_spec(spout=SpoutOptions(marker="position"))),
        shows=Reason.INVALID_SPEC,
        says=("spec.spout.marker", "'offset'", "set it back, or make a Spout with another spec.name"),
    ),
    StalledCase(
        reason="without its marker the spout would start over and keep the old position for nobody",
        spout=a_spout(spec=a_spec(spout=SpoutOptions())),
        shows=Reason.INVALID_SPEC,
        says=("spec.spout.marker", "'offset'", "set it back"),
    ),
]


@pytest.mark.parametrize("case", STALLED, ids=lambda case: case.reason)
def test_a_stalled_message_says_what_a_person_has_to_do(case: StalledCase) -> None:
    with pytest.raises(Stalled) as error:
        decided(case)

    assert error.value.reason is case.shows, case.reason
    assert [part for part in case.says if part not in error.value.message] == [], error.value.message


def test_a_replaced_server_is_told_before_what_it_lacks_and_with_both_ways_out() -> None:
    situation = a_situation(
        observed=None,
        last_seen=Server(address="grpc://pachd:650", version="1.13.4"),
        server=Server(address="grpc://pachd:650", version="2.12.2"),
        capabilities=dataclasses.replace(CAPABILITIES, marker=False),
    )

    with pytest.raises(Stalled) as error:
        decide(situation)

    assert error.value.reason is Reason.PACHYDERM_REPLACED
    assert error.value.message == (
        "the pipeline 'my-spout' was on Pachyderm 1.13.4 at grpc://pachd:650; now Pachyderm 2.12.2 answers at "
        "grpc://pachd:650 and does not have it. The operator does not create it there, because the spout would start "
        "without its position and its commits, which the status still shows. Give the operator the address of the old "
        "Pachyderm; or, to start from nothing on the new one, delete this Spout and create it again, which leaves the "
        "old Pachyderm as it is"
    )


def test_values_of_variables_are_not_told() -> None:
    spout = a_spout(spec=a_spec(transform=a_transform(env={"PASSWORD": "hunter2"})))

    decision = decide(a_situation(spout=spout, observed=a_pipeline(), older_claim=None, written=None))

    assert "transform.env.PASSWORD" in decision.message
    assert "hunter2" not in repr(decision)


pipelines = st.builds(
    a_pipeline,
    spec=specs,
    version=st.integers(1, 3),
    state=st.sampled_from(PipelineState),
    stopped=st.booleans(),
    workers=st.sampled_from([None, (0, 1), (1, 1)]),
)


@settings(max_examples=40)
@given(pipelines, st.booleans(), st.booleans())
def test_an_equal_pipeline_is_never_updated(observed: Pipeline, suspend: bool, written_before: bool) -> None:
    assert observed.spec is not None
    written = Written(spec=observed.spec, version=observed.version) if written_before else None

    decision = decide(
        a_situation(
            spout=a_spout(spec=observed.spec, suspend=suspend), observed=observed, older_claim=None, written=written
        )
    )

    assert decision.action in {Action.NONE, Action.START, Action.STOP}
    assert (decision.action is Action.NONE) is (suspend == observed.stopped)


@settings(max_examples=40)
@given(specs, pipelines)
def test_after_an_update_that_took_effect_there_is_nothing_left_to_update(
    wanted: PipelineSpec, pipeline: Pipeline
) -> None:
    observed = dataclasses.replace(pipeline, spec=wanted, version=pipeline.version + 1)
    written = Written(spec=wanted, version=observed.version)

    decision = decide(a_situation(spout=a_spout(spec=wanted), observed=observed, older_claim=None, written=written))

    assert decision.action is not Action.UPDATE


foreign = st.sampled_from([None, OTHER_SPOUT, OTHER_CLUSTER])


@settings(max_examples=40)
@given(specs, pipelines, foreign, st.booleans())
def test_a_foreign_pipeline_is_never_written(
    wanted: PipelineSpec, pipeline: Pipeline, owner: Owner | None, suspend: bool
) -> None:
    observed = dataclasses.replace(pipeline, owner=owner)

    with pytest.raises(Stalled) as error:
        decide(
            a_situation(spout=a_spout(spec=wanted, suspend=suspend), observed=observed, older_claim=None, written=None)
        )

    assert error.value.reason is Reason.PIPELINE_NOT_OWNED


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """A Spout that is being deleted, what is there, and what is done with it."""

    reason: str
    policy: DeletionPolicy
    observed: Pipeline | None
    action: Action
    says: str


DELETIONS = [
    Deletion(
        reason="Delete deletes all",
        policy=DeletionPolicy.DELETE,
        observed=a_pipeline(),
        action=Action.DELETE,
        says="deleting the pipeline and its repo",
    ),
    Deletion(
        reason="KeepRepo keeps the data",
        policy=DeletionPolicy.KEEP_REPO,
        observed=a_pipeline(),
        action=Action.DELETE_KEEP_REPO,
        says="deleting the pipeline, keeping its repo",
    ),
    Deletion(
        reason="Orphan lets it run",
        policy=DeletionPolicy.ORPHAN,
        observed=a_pipeline(),
        action=Action.RELEASE,
        says="the pipeline stays: deletionPolicy is Orphan",
    ),
    Deletion(
        reason="Orphan does not need to know what is there: the way out where Pachyderm is gone",
        policy=DeletionPolicy.ORPHAN,
        observed=None,
        action=Action.RELEASE,
        says="the pipeline stays: deletionPolicy is Orphan",
    ),
    Deletion(
        reason="it is gone: the Spout can go too",
        policy=DeletionPolicy.DELETE,
        observed=None,
        action=Action.RELEASE,
        says="the pipeline is gone",
    ),
    Deletion(
        reason="it is gone: the Spout can go too",
        policy=DeletionPolicy.KEEP_REPO,
        observed=None,
        action=Action.RELEASE,
        says="the pipeline is gone",
    ),
    Deletion(
        reason="a stopped one is deleted like a running one",
        policy=DeletionPolicy.DELETE,
        observed=a_pipeline(stopped=True, state=PipelineState.PAUSED),
        action=Action.DELETE,
        says="deleting the pipeline and its repo",
    ),
    Deletion(
        reason="with our stamp but no spout any more: still ours to delete",
        policy=DeletionPolicy.DELETE,
        observed=a_pipeline(spec=None),
        action=Action.DELETE,
        says="deleting the pipeline and its repo",
    ),
]


@pytest.mark.parametrize("case", DELETIONS, ids=lambda case: f"{case.policy}: {case.reason}")
def test_the_pipeline_of_a_deleted_spout_is_treated_as_its_policy_says(case: Deletion) -> None:
    found = decide_deletion(case.policy, an_owner(), case.observed)

    assert found == Decision(action=case.action, reason=Reason.DELETING, message=case.says), case.reason


@pytest.mark.parametrize("policy", DeletionPolicy)
@pytest.mark.parametrize("owner", [None, OTHER_SPOUT, OTHER_CLUSTER], ids=["none", "spout", "cluster"])
def test_a_foreign_pipeline_is_never_deleted(policy: DeletionPolicy, owner: Owner | None) -> None:
    found = decide_deletion(policy, an_owner(), a_pipeline(owner=owner))

    says = "the pipeline stays: deletionPolicy is Orphan"
    if policy is not DeletionPolicy.ORPHAN:
        says = "the pipeline is not this Spout's and stays"
    assert found == Decision(action=Action.RELEASE, reason=Reason.DELETING, message=says)


@pytest.mark.parametrize(
    ("policy", "name", "command"),
    [
        (DeletionPolicy.DELETE, a_name(), "pachctl delete pipeline my-spout"),
        (DeletionPolicy.KEEP_REPO, a_name(), "pachctl delete pipeline my-spout --keep-repo"),
        (
            DeletionPolicy.KEEP_REPO,
            a_name(project="kafka"),
            "pachctl delete pipeline my-spout --keep-repo --project kafka",
        ),
    ],
)
def test_a_pipeline_of_an_unknown_owner_is_kept_and_the_message_has_the_command(
    policy: DeletionPolicy, name: PipelineName, command: str
) -> None:
    assert held(policy, name) == (
        "whose it is cannot be told, so it is not deleted and the Spout stays. If it is this Spout's, delete it by "
        f"hand: {command}; or set spec.deletionPolicy to Orphan, which lets the Spout go and leaves the pipeline"
    )
