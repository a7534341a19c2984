"""The spouts of a Pachyderm as a source: a candidate for each, and what is said of the others."""

from collections.abc import Mapping

from spout_operator.core import model
from spout_operator.core.spec.quantity import Quantity
from spout_operator.importing.candidate import Candidate
from spout_operator.importing.manifests import manifest_of
from spout_operator.importing.sources import Found, on_server
from tests.builders import a_name, a_pipeline, a_spec, a_transform, an_owner
from tests.fakes.memory_pipelines import MemoryPipelines


class Listed(MemoryPipelines):
    """A Pachyderm with these pipelines."""

    def __init__(self, *pipelines: model.Pipeline) -> None:
        super().__init__()
        self._listed = {pipeline.name: pipeline for pipeline in pipelines}

    async def list(self) -> Mapping[model.PipelineName, model.Pipeline]:
        return self._listed


def candidate_in(found: list[Found]) -> Candidate:
    """The only one there is."""
    ((where, candidate),) = found
    assert where == "memory", "the address of the server"
    assert isinstance(candidate, Candidate)
    return candidate


async def test_a_spout_becomes_the_manifest_that_asks_for_it() -> None:
    service = model.Service(internal_port=80, type="NodePort")
    spec = a_spec(
        spout=model.SpoutOptions(marker="offset", service=service),
        resource_limits=model.Resources(memory=Quantity.parse("1Gi")),
        restart_nonce="3",
    )

    found = await on_server(Listed(a_pipeline(name=a_name("a", "prod"), spec=spec, owner=None, stopped=True)))

    manifest = manifest_of(candidate_in(found))
    assert manifest.body["spec"] == {
        "name": "a",
        "project": "prod",
        "transform": {"image": "myaccount/myimage:0.1", "cmd": ["go", "run", "./main.go"]},
        "spout": {"marker": "offset", "service": {"internalPort": 80}},
        "resourceLimits": {"memory": "1Gi"},
        "suspend": True,
        "restartNonce": "3",
    }
    assert manifest.comments == {}


async def test_a_comment_says_that_a_spout_has_an_owner_and_that_a_variable_seems_to_be_a_secret() -> None:
    spec = a_spec(transform=a_transform(env={"API_TOKEN": "hunter2"}))

    found = await on_server(Listed(a_pipeline(spec=spec, owner=an_owner())))

    comments = manifest_of(candidate_in(found)).comments
    assert comments["spec",] == (
        "the pipeline already belongs to the Spout ingest/my-spout, and no other Spout can take it over",
    )
    (comment,) = comments["spec", "transform", "env"]
    assert comment.startswith("API_TOKEN: by its name this is a secret")
    assert "hunter2" not in comment


async def test_a_pipeline_without_a_spec_of_a_spout_is_told_and_the_order_is_that_of_the_names() -> None:
    pipelines = [a_pipeline(name=a_name("c")), a_pipeline(name=a_name("b"), spec=None), a_pipeline(name=a_name("a"))]

    found = [result for _, result in await on_server(Listed(*pipelines))]

    assert [result.name.name if isinstance(result, Candidate) else str(result) for result in found] == [
        "a",
        "the pipeline 'b' is no spout: it is of another kind, or Pachyderm cannot read its spec",
        "c",
    ]
