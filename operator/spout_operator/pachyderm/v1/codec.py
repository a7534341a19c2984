"""Between the neutral model and the protobuf messages of Pachyderm 1.13."""

import datetime
from collections.abc import Mapping
from typing import Any

from spout_operator.core import model
from spout_operator.core.owner_annotations import RESTART_NONCE
from spout_operator.pachyderm import owners, values
from spout_operator.pachyderm.v1.sdk import pfs_pb2, pps_pb2

# The generated modules are untyped; a message is Any here and only here.
Message = Any

# pps.proto PipelineState, by number.
_STATES = (
    model.PipelineState.STARTING,
    model.PipelineState.RUNNING,
    model.PipelineState.RESTARTING,
    model.PipelineState.FAILURE,
    model.PipelineState.PAUSED,
    model.PipelineState.STANDBY,
    model.PipelineState.CRASHING,
)


def create_request(spec: model.PipelineSpec, owner: model.Owner) -> dict[str, Message]:
    """The arguments of python-pachyderm's `create_pipeline`, without the name."""
    annotations = owners.annotations(spec, owner)
    return {
        "transform": _transform_to(spec.transform),
        "description": spec.description,
        "spout": _spout_to(spec.spout),
        "resource_requests": _resources_to(spec.resource_requests),
        "resource_limits": _resources_to(spec.resource_limits),
        "sidecar_resource_limits": _resources_to(spec.sidecar_resource_limits),
        "scheduling_spec": _scheduling_to(spec.scheduling_spec),
        "pod_patch": spec.pod_patch,
        "metadata": pps_pb2.Metadata(annotations=annotations),
    }


def kept_in_update(info: Message) -> dict[str, Message]:
    """What an update has to carry over from the pipeline as it is, as arguments of `create_pipeline`.

    An update without a parallelism, of a pipeline that was made with one (by hand, and then handed over), makes
    pachd 1.13.4 crash (api_server.go validateEnterpriseChecks, a nil pointer; seen on a real server). For the same
    reason `create_request` has none: what the operator made must not make pachd crash when somebody updates it.
    """
    return {"parallelism_spec": info.parallelism_spec if info.HasField("parallelism_spec") else None}


def pipeline(info: Message) -> model.Pipeline:
    """A PipelineInfo, without its workers."""
    annotations = dict(info.metadata.annotations)
    return model.Pipeline(
        name=model.PipelineName(name=info.pipeline.name),
        spec=_spec_from(info, annotations) if info.HasField("spout") else None,
        owner=owners.owner_from(annotations),
        version=info.version,
        spec_commit=info.spec_commit.id,
        state=_STATES[info.state] if 0 <= info.state < len(_STATES) else model.PipelineState.UNKNOWN,
        reason=info.reason,
        stopped=info.stopped,
        created_at=_moment(info, "created_at"),
    )


def workers(available: int, requested: int) -> tuple[int, int] | None:
    """What InspectPipeline tells of a spout's workers; None where that is not known.

    A spout always has one requested. None at all is what the call says where it could not ask the workers, for example
    while the lease of a dead one has not run out (1.13.4, api_server.go inspectPipelineInTransaction).
    """
    return (available, requested) if requested else None


def commit(info: Message) -> model.Commit:
    """A CommitInfo."""
    return model.Commit(
        id=info.commit.id,
        parent=info.parent_commit.id or None,
        finished_at=_moment(info, "finished"),
        size=info.size_bytes,
    )


def release(version: Message) -> tuple[int, int, int]:
    """Major, minor and micro of a Version, which compare as releases do."""
    return version.major, version.minor, version.micro


def version_text(version: Message) -> str:
    """A Version as pachctl prints it; a build can add words of its own."""
    return f"{version.major}.{version.minor}.{version.micro}{version.additional}"


def is_directory(info: Message) -> bool:
    """Whether a FileInfo is of a directory."""
    return bool(info.file_type == pfs_pb2.DIR)


def _spec_from(info: Message, annotations: Mapping[str, str]) -> model.PipelineSpec:
    return model.PipelineSpec(
        transform=_transform_from(info.transform),
        description=info.description,
        spout=_spout_from(info.spout),
        resource_requests=_resources_from(info.resource_requests),
        resource_limits=_resources_from(info.resource_limits),
        sidecar_resource_limits=_resources_from(info.sidecar_resource_limits),
        scheduling_spec=model.Scheduling(
            node_selector=dict(info.scheduling_spec.node_selector),
            priority_class_name=info.scheduling_spec.priority_class_name,
        ),
        pod_patch=values.json_or_as_is(info.pod_patch),
        restart_nonce=annotations.get(RESTART_NONCE, ""),
    )


def _transform_to(transform: model.Transform) -> Message:
    return pps_pb2.Transform(
        image=transform.image,
        cmd=transform.cmd,
        stdin=transform.stdin,
        env=transform.env,
        secrets=[
            pps_pb2.SecretMount(name=secret.name, key=secret.key, env_var=secret.env_var, mount_path=secret.mount_path)
            for secret in transform.secrets
        ],
        image_pull_secrets=transform.image_pull_secrets,
        working_dir=transform.working_dir,
        user=transform.user,
    )


def _transform_from(found: Message) -> model.Transform:
    return model.Transform(
        image=found.image,
        cmd=tuple(found.cmd),
        stdin=tuple(found.stdin),
        env=dict(found.env),
        secrets=tuple(
            model.SecretMount(name=secret.name, key=secret.key, env_var=secret.env_var, mount_path=secret.mount_path)
            for secret in found.secrets
        ),
        image_pull_secrets=tuple(found.image_pull_secrets),
        working_dir=found.working_dir,
        user=found.user,
    )


def _spout_to(options: model.SpoutOptions) -> Message:
    service = options.service
    return pps_pb2.Spout(
        overwrite=options.overwrite,
        marker=options.marker,
        service=pps_pb2.Service(
            internal_port=service.internal_port, external_port=service.external_port, type=service.type
        )
        if service
        else None,
    )


def _spout_from(found: Message) -> model.SpoutOptions:
    return model.SpoutOptions(
        overwrite=found.overwrite,
        marker=found.marker,
        service=model.Service(
            internal_port=found.service.internal_port,
            external_port=found.service.external_port,
            type=found.service.type,
        )
        if found.HasField("service")
        else None,
    )


def _resources_to(resources: model.Resources) -> Message | None:
    if resources == model.Resources():
        return None
    return pps_pb2.ResourceSpec(
        cpu=float(resources.cpu.value) if resources.cpu else 0,
        memory=resources.memory.text if resources.memory else "",
        disk=resources.disk.text if resources.disk else "",
        gpu=pps_pb2.GPUSpec(type=resources.gpu.type, number=resources.gpu.number) if resources.gpu else None,
    )


def _resources_from(found: Message) -> model.Resources:
    return model.Resources(
        cpu=values.cores_of(found.cpu),
        memory=values.quantity(found.memory),
        disk=values.quantity(found.disk),
        gpu=model.Gpu(type=found.gpu.type, number=found.gpu.number) if found.HasField("gpu") else None,
    )


def _scheduling_to(scheduling: model.Scheduling) -> Message | None:
    if scheduling == model.Scheduling():
        return None
    return pps_pb2.SchedulingSpec(
        node_selector=scheduling.node_selector, priority_class_name=scheduling.priority_class_name
    )


def _moment(message: Message, field: str) -> datetime.datetime | None:
    if not message.HasField(field):
        return None
    moment = getattr(message, field)
    return datetime.datetime.fromtimestamp(moment.seconds, tz=datetime.UTC)
