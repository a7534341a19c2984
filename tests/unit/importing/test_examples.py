"""The spout examples of Pachyderm, imported: the operator sends what the example says, field by field."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from google.protobuf import json_format

from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec import parsing
from spout_operator.importing.documents import documents
from spout_operator.importing.manifests import Manifest, manifest_of
from spout_operator.importing.translation import candidate
from spout_operator.importing.writing import to_yaml
from spout_operator.pachyderm.v1 import codec
from spout_operator.pachyderm.v1.sdk import pps_pb2
from tests.builders import an_owner
from tests.upstream_specs import V1, V2, Example


def imported(document: Mapping[str, Any]) -> Manifest:
    """What becomes of the text of a document."""
    (found,) = documents(json.dumps(document).encode())
    return manifest_of(candidate(found))


def applied(manifest: Manifest) -> SpoutResource:
    """The Spout that kubectl makes of the text of a manifest."""
    body = yaml.safe_load(to_yaml(manifest))
    metadata = {"namespace": "ingest", "uid": "1", "resourceVersion": "1", "creationTimestamp": "2026-01-31T12:00:00Z"}
    return SpoutResource.from_body({**body, "metadata": {**body["metadata"], **metadata}})


@pytest.mark.parametrize("example", [*V1, *V2], ids=str)
def test_the_operator_sends_each_field_as_the_example_has_it(example: Example) -> None:
    asked = json_format.ParseDict(example.document, pps_pb2.CreatePipelineRequest())

    spout = parsing.parse_spout(applied(imported(example.document)))
    request = codec.create_request(spout.spec, an_owner())
    sent = pps_pb2.CreatePipelineRequest(pipeline=asked.pipeline, **request)

    sent.ClearField("metadata")
    assert json_format.MessageToDict(sent) == json_format.MessageToDict(asked)


@pytest.mark.parametrize("example", [*V1, *V2], ids=str)
def test_the_manifest_has_no_field_that_the_example_has_not(example: Example) -> None:
    asked = json_format.MessageToDict(json_format.ParseDict(example.document, pps_pb2.CreatePipelineRequest()))
    del asked["pipeline"]

    assert imported(example.document).body["spec"] == asked


@pytest.mark.parametrize("example", [*V1, *V2], ids=str)
def test_an_example_whose_name_a_spout_can_have_keeps_it_and_needs_no_comment(example: Example) -> None:
    manifest = imported(example.document)
    name = example.document["pipeline"]["name"]

    if "_" in name:
        assert manifest.name == name.replace("_", "-")
        assert [*manifest.comments] == [("metadata",)]
        assert f"the pipeline is named {name!r}" in manifest.comments["metadata",][0]
    else:
        assert manifest.name == name
        assert manifest.comments == {}
