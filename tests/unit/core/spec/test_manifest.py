"""Writing: what a Spout asks for, to the smallest spec that asks for it."""

import dataclasses
import datetime

from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core import model
from spout_operator.core.freshness import Freshness
from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec import manifest, parsing
from tests.builders import a_key, a_name, a_resource, a_spec, a_spout, a_transform
from tests.unit.core import strategies
from tests.unit.core.spec.test_parsing import FIELDS


def resource_of(spout: model.Spout) -> SpoutResource:
    """The Spout as the API server would have it."""
    return dataclasses.replace(
        a_resource({}, name=spout.key.name, namespace=spout.key.namespace), spec=manifest.spec_of(spout)
    )


def valid(
    spec: model.PipelineSpec,
    sidecar: model.Resources,
    tolerations: list[model.Toleration],
) -> model.PipelineSpec:
    """The spec with what the parser refuses made right: see `core.spec.runnable`."""
    transform = spec.transform
    secrets = [
        dataclasses.replace(secret, mount_path=f"/mnt/{number}" if secret.mount_path else "")
        for number, secret in enumerate(transform.secrets)
    ]
    return dataclasses.replace(
        spec,
        transform=dataclasses.replace(transform, cmd=("run", *transform.cmd), secrets=tuple(secrets)),
        resource_limits=spec.resource_requests,
        sidecar_resource_requests=sidecar,
        sidecar_resource_limits=sidecar,
        tolerations=tuple(tolerations),
        pod_patch=spec.pod_patch if spec.pod_patch != '[{"op":"remove"}]' else '[{"op":"remove","path":"/a"}]',
    )


tolerations = st.one_of(
    st.builds(
        model.Toleration,
        key=strategies.names,
        value=strategies.words,
        effect=st.just("NoExecute"),
        toleration_seconds=st.none() | st.integers(0, 3),
    ),
    st.builds(model.Toleration, operator=st.just("Exists"), effect=st.sampled_from(["", "NoSchedule"])),
)
minutes = st.integers(0, 100).map(lambda number: datetime.timedelta(minutes=number))
freshnesses = st.builds(
    Freshness, max_commit_age=minutes.filter(bool), startup_grace=minutes, output_stalled_after=minutes
) | st.builds(Freshness, marker_stalled_after=minutes)
specs = st.builds(valid, strategies.specs, strategies.resources, st.lists(tolerations, max_size=2))
spouts = st.builds(
    a_spout,
    key=st.builds(a_key, st.sampled_from(["my-spout", "other"])),
    pipeline_name=st.builds(a_name, st.sampled_from(["my-spout", "a"]), st.sampled_from(["default", "Ingest_1"])),
    spec=specs,
    suspend=st.booleans(),
    freshness=freshnesses,
    deletion_policy=st.sampled_from(model.DeletionPolicy),
    adoption_policy=st.sampled_from(model.AdoptionPolicy),
)


@given(spouts)
def test_the_parser_reads_what_is_written_as_the_same_spout(spout: model.Spout) -> None:
    assert parsing.parse_spout(resource_of(spout)) == spout


def test_every_field_of_the_parser_is_written() -> None:
    """The table of the parser has every field: what a Spout asks for with it is read back."""
    lost = [row for row in FIELDS if parsing.parse_spout(resource_of(row.asked)) != row.asked]

    assert lost == []


def test_a_default_is_not_written() -> None:
    spout = a_spout(spec=model.PipelineSpec(transform=model.Transform(image="a", cmd=("b",))))

    assert manifest.spec_of(spout) == {"transform": {"image": "a", "cmd": ["b"]}, "spout": {}}


def test_a_default_of_a_part_is_not_written() -> None:
    options = model.SpoutOptions(service=model.Service(internal_port=80))
    spec = a_spec(transform=a_transform(), spout=options, tolerations=(model.Toleration(key="ingest"),))

    written = manifest.pipeline_fields(spec)

    assert written["spout"] == {"service": {"internalPort": 80}}
    assert written["tolerations"] == [{"key": "ingest"}]


def test_a_quantity_is_written_as_it_was_read() -> None:
    written = parsing.parse_spout(a_resource({"resourceLimits": {"cpu": "0.50", "memory": "1024Mi"}}))

    assert manifest.spec_of(written)["resourceLimits"] == {"cpu": "0.50", "memory": "1024Mi"}


def test_a_written_field_of_zero_is_not_lost() -> None:
    zero = model.Toleration(operator="Exists", effect="NoExecute", toleration_seconds=0)

    (written,) = manifest.pipeline_fields(a_spec(transform=a_transform(), tolerations=(zero,)))["tolerations"]

    assert written == {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}
