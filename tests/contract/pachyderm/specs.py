"""Specs that a Spout can ask for: a table with a reason for each row, and a generator of random ones."""

import dataclasses
import json
from decimal import Decimal

from hypothesis import strategies as st

from spout_operator.core.model import (
    Gpu,
    PipelineSpec,
    Resources,
    Scheduling,
    SecretMount,
    Service,
    SpoutOptions,
    Toleration,
    Transform,
)
from spout_operator.core.spec.fields import canonical_json
from spout_operator.core.spec.quantity import Quantity, cores
from tests.contract.pachyderm.harness import SPEC, TRANSFORM

_PATCH = [{"op": "add", "path": "/metadata/labels", "value": {"team": "ingest"}}]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    reason: str
    spec: PipelineSpec

    def __str__(self) -> str:
        return self.reason.replace(" ", "-")


def _row(reason: str, **fields: object) -> Row:
    return Row(reason=reason, spec=dataclasses.replace(SPEC, **fields))  # type: ignore[arg-type] # fields of any type


def _transform(reason: str, **fields: object) -> Row:
    return _row(reason, transform=dataclasses.replace(TRANSFORM, **fields))  # type: ignore[arg-type] # same


def _spout(reason: str, **fields: object) -> Row:
    return _row(reason, spout=SpoutOptions(**fields))  # type: ignore[arg-type] # same


def _requests(reason: str, *, cpu: str = "", memory: str = "", disk: str = "", gpu: Gpu | None = None) -> Row:
    resources = Resources(
        cpu=cores(cpu) if cpu else None,
        memory=Quantity.parse(memory) if memory else None,
        disk=Quantity.parse(disk) if disk else None,
        gpu=gpu,
    )
    return _row(reason, resource_requests=resources, resource_limits=resources)


EVERYTHING = PipelineSpec(
    transform=Transform(
        image="example/spout:1@sha256:" + "0" * 64,
        cmd=("spout", "--topic", "my topic"),
        stdin=("first line", "second line"),
        env={"HOST": "kafka", "PORT": "9092"},
        secrets=(
            SecretMount(name="kafka", key="password", env_var="KAFKA_PASSWORD"),
            SecretMount(name="tls", mount_path="/tls"),
        ),
        image_pull_secrets=("registry", "mirror"),
        working_dir="/app",
        user="1000",
    ),
    description="Kafka topic 'mytopic' into Pachyderm",
    spout=SpoutOptions(
        overwrite=True, marker="offset", service=Service(internal_port=8080, external_port=30080, type="NodePort")
    ),
    resource_requests=Resources(cpu=cores("100m"), memory=Quantity.parse("256Mi"), disk=Quantity.parse("1Gi")),
    resource_limits=Resources(cpu=cores("2"), memory=Quantity.parse("1.5Gi"), gpu=Gpu(type="nvidia.com/gpu", number=1)),
    scheduling_spec=Scheduling(node_selector={"disk": "ssd", "zone": "a"}, priority_class_name="ingest"),
    pod_patch=canonical_json(json.dumps(_PATCH)),
    restart_nonce="2026-11-22T12:00:00Z",
)

#: What Pachyderm 2 has besides.
SIDECAR = Resources(cpu=cores("100m"), memory=Quantity.parse("64Mi"), disk=Quantity.parse("1Gi"))
TOLERATIONS = (
    Toleration(key="ingest", operator="Exists", effect="NoExecute", toleration_seconds=0),
    Toleration(key="disk", value="ssd", effect="NoSchedule"),
    Toleration(operator="Exists"),
)

_OF_MARKERS = ("no marker at all", "a marker in a directory")
ROWS = (
    Row(reason="the least that a Spout can ask for", spec=PipelineSpec(transform=Transform(image="i", cmd=()))),
    Row(reason="every field at once", spec=EVERYTHING),
    _row("a description in other scripts", description="Zähler → 計数 🎛\nsecond line"),
    _transform("a variable that is empty or holds an equals sign", env={"EMPTY": "", "URL": "a=b&c=d", "Ü": "ü"}),
    _transform("no command: the image's own", cmd=()),
    _transform("arguments are kept apart as they are", cmd=("sh", "-c", "echo \"$HOME\" 'x'", "")),
    _transform("the order of secrets is kept", secrets=(SecretMount(name="b"), SecretMount(name="a"))),
    _transform("an image by digest", image="registry:5000/a/b@sha256:" + "a" * 64),
    _spout("no marker at all"),
    _spout("a marker in a directory", marker="state/offset"),
    _spout("overwrite without a marker", overwrite=True),
    _spout(
        "a service with its default type and a port that Kubernetes chooses",
        service=Service(internal_port=80, type="NodePort"),
    ),
    _spout("a service of another type", service=Service(internal_port=80, type="ClusterIP")),
    _requests("a tenth of a core is no 32-bit float", cpu="0.1"),
    _requests("the same tenth in thousandths", cpu="100m"),
    _requests("a core with an exponent", cpu="1e3", disk="1e3"),
    _requests("less than a thousandth of a core is rounded up by Kubernetes", cpu="100u"),
    _requests("a third of a core", cpu="333m"),
    _requests("many cores and a thousandth", cpu="4095.999"),
    _requests("bytes in powers of two", memory="256Mi", disk="1Ti"),
    _requests("a fraction of a power of two", memory="1.5Gi"),
    _requests("bytes without a unit", memory="268435456", disk="0"),
    _requests("bytes in thousandths, as Kubernetes prints them", memory="128974848000m"),
    _requests("a GPU and nothing else", gpu=Gpu(type="amd.com/gpu", number=2)),
    _row("a selector and no priority class", scheduling_spec=Scheduling(node_selector={"a": ""})),
    _row("a priority class and no selector", scheduling_spec=Scheduling(priority_class_name="high")),
    _row("a patch that does nothing", pod_patch="[]"),
    _row("a nonce in other scripts", restart_nonce="再起動 1"),
)

#: A Secret has to be there when Pachyderm 2 creates a pipeline, and it has neither markers nor `overwrite`.
EVERYTHING_OF_TWO = dataclasses.replace(
    EVERYTHING,
    transform=dataclasses.replace(EVERYTHING.transform, secrets=()),
    spout=SpoutOptions(service=Service(internal_port=8080, type="ClusterIP")),
    sidecar_resource_requests=SIDECAR,
    sidecar_resource_limits=SIDECAR,
    tolerations=TOLERATIONS,
)
ROWS_OF_TWO = (
    Row(reason="every field of Pachyderm 2 at once", spec=EVERYTHING_OF_TWO),
    *(
        dataclasses.replace(
            row, spec=dataclasses.replace(row.spec, spout=dataclasses.replace(row.spec.spout, marker=""))
        )
        for row in ROWS
        if not (row.spec.transform.secrets or row.spec.spout.overwrite or row.reason in _OF_MARKERS)
    ),
)

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_maps = st.dictionaries(_texts, _texts, max_size=3)
_ports = st.integers(min_value=0, max_value=65535)
# Above 8,192 cores a 32-bit float cannot hold thousandths. A request for 0 cores is the same as no request.
_cores = st.decimals(min_value=Decimal("0.001"), max_value=8192, places=3).map(lambda value: cores(str(value)))
_bytes = st.builds(
    lambda number, unit: Quantity.parse(f"{number}{unit}"),
    st.integers(min_value=0, max_value=10**6) | st.decimals(min_value=0, max_value=100, places=2),
    st.sampled_from(["", "k", "M", "G", "Ki", "Mi", "Gi"]),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=5,
)
_resources = st.builds(
    Resources,
    cpu=st.none() | _cores,
    memory=st.none() | _bytes,
    disk=st.none() | _bytes,
    gpu=st.none() | st.builds(Gpu, type=_texts, number=st.integers(0, 16)),
)

SPECS = st.builds(
    PipelineSpec,
    transform=st.builds(
        Transform,
        image=_texts.filter(bool),
        cmd=st.lists(_texts, max_size=3).map(tuple),
        stdin=st.lists(_texts, max_size=3).map(tuple),
        env=_maps,
        secrets=st.lists(
            st.builds(SecretMount, name=_texts, key=_texts, env_var=_texts, mount_path=_texts), max_size=3
        ).map(tuple),
        image_pull_secrets=st.lists(_texts, max_size=3).map(tuple),
        working_dir=_texts,
        user=_texts,
    ),
    description=_texts,
    spout=st.builds(
        SpoutOptions,
        overwrite=st.booleans(),
        marker=st.from_regex(r"\A[a-z0-9][a-z0-9./_-]{3,20}\Z") | st.just(""),
        service=st.none()
        | st.builds(
            Service,
            internal_port=_ports,
            external_port=_ports,
            type=st.sampled_from(["NodePort", "ClusterIP", "LoadBalancer"]),
        ),
    ),
    resource_requests=_resources,
    resource_limits=_resources,
    scheduling_spec=st.builds(Scheduling, node_selector=_maps, priority_class_name=_texts),
    pod_patch=st.just("") | _json.map(lambda patch: canonical_json(json.dumps(patch))),
    restart_nonce=_texts,
)
