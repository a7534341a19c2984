"""A Spout resource, as the API server has it, to the nouns of `core.model`.

The CRD has checked most of it at `kubectl apply`; this still reads with care, because the CRD on a
cluster can be older than the operator. All findings are collected: a person mends them in one go.
"""

import datetime
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from spout_operator.core import model
from spout_operator.core.errors import Stalled
from spout_operator.core.freshness import Freshness
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec import naming, pod_patch, quantity, runnable
from spout_operator.core.spec.fields import Reader

#: Below this, the pauses between two polls would count as silence.
LEAST_COMMIT_AGE = datetime.timedelta(seconds=10)


def pipeline_name(resource: SpoutResource) -> model.PipelineName:
    """The pipeline that a Spout names: `spec.name`, or its own name. Readable also where the spec is not valid."""
    return model.PipelineName(
        project=sys.intern(str(resource.spec.get("project") or model.DEFAULT_PROJECT)),
        name=str(resource.spec.get("name") or resource.key.name),
    )


def secrets_of(resource: SpoutResource, *, env: Iterable[str] = (), names: Iterable[str] = ()) -> Secrets:
    """What must not be shown anywhere of a Spout, readable also where its spec is not valid.

    Args:
        resource: the Spout, as the API server has it.
        env: further values, of its pipeline as it was before an edit.
        names: what everybody knows, beside the names of the Spout and its pipeline.
    """
    key = resource.key
    pipeline = pipeline_name(resource)
    known = (*names, str(key), key.name, key.namespace, pipeline.name, str(pipeline))
    return Secrets([*env, *_env_values(resource.spec)], names=known)


def secrets_of_all(specs: Iterable[Mapping[str, Any]]) -> Secrets:
    """The same of the specs of many Spouts, for a text that is of none alone; their names are not looked for."""
    return Secrets(value for spec in specs for value in _env_values(spec))


def parse_deletion_policy(resource: SpoutResource) -> model.DeletionPolicy:
    """What becomes of the pipeline, readable also where the rest of the spec is not valid.

    Raises:
        Stalled: the policy is none of the known ones.
    """
    reader = Reader()
    policy = reader.choice(resource.spec, "spec.deletionPolicy", model.DeletionPolicy, model.DeletionPolicy.DELETE)
    if reader.problems:
        raise Stalled(Reason.INVALID_SPEC, "; ".join(reader.problems))
    return policy


def parse_spout(resource: SpoutResource) -> model.Spout:
    """Read a Spout.

    Raises:
        Stalled: with reason InvalidSpec, naming each field, what was found and what is expected.
    """
    reader = Reader()
    spec = resource.spec
    name = pipeline_name(resource)
    if not naming.is_runnable(name.name):
        reader.problems.append(_unfit_name(name.name, resource.key.name))
    if not naming.is_project(name.project):
        reader.problems.append(f"spec.project: found {name.project!r:.100}, expected {naming.PROJECT_RULE}")
    parsed = model.PipelineSpec(
        description=reader.text(spec, "spec.description"),
        transform=_transform(reader, reader.section(spec, "spec.transform")),
        spout=_spout_options(reader, reader.section(spec, "spec.spout")),
        resource_requests=_resources(reader, spec, "spec.resourceRequests"),
        resource_limits=_resources(reader, spec, "spec.resourceLimits"),
        sidecar_resource_requests=_resources(reader, spec, "spec.sidecarResourceRequests"),
        sidecar_resource_limits=_resources(reader, spec, "spec.sidecarResourceLimits"),
        scheduling_spec=_scheduling(reader, reader.section(spec, "spec.schedulingSpec")),
        tolerations=tuple(_toleration(reader, found) for found in reader.sections(spec, "spec.tolerations")),
        pod_patch=_pod_patch(reader, spec),
        restart_nonce=reader.text(spec, "spec.restartNonce"),
    )
    reader.problems.extend(runnable.findings(parsed))
    suspend = reader.flag(spec, "spec.suspend")
    policy = reader.choice(spec, "spec.deletionPolicy", model.DeletionPolicy, model.DeletionPolicy.DELETE)
    adoption = reader.choice(spec, "spec.adoptionPolicy", model.AdoptionPolicy, model.AdoptionPolicy.NEVER)
    freshness = _freshness(reader, reader.section(spec, "spec.freshness"))
    if reader.problems:
        raise Stalled(Reason.INVALID_SPEC, "; ".join(reader.problems))
    return model.Spout(
        key=resource.key,
        pipeline_name=name,
        spec=parsed,
        suspend=suspend,
        deletion_policy=policy,
        adoption_policy=adoption,
        freshness=freshness,
    )


def _unfit_name(name: str, object_name: str) -> str:
    found = f"metadata.name {name!r}" if name == object_name else repr(name)
    proposal = naming.proposal(name)
    example = f", for example {proposal!r}" if proposal else ""
    return (
        f"spec.name: {found:.100} is no name under which Pachyderm can run a spout; "
        f"set spec.name to {naming.RULE}{example}"
    )


def _pod_patch(reader: Reader, spec: Mapping[str, Any]) -> str:
    path = "spec.podPatch"
    text = reader.json_text(spec, path)
    if text:
        reader.problems.extend(f"{path}: {finding}" for finding in pod_patch.findings(text))
    return text


def _env_values(spec: Mapping[str, Any]) -> Iterator[str]:
    transform = spec.get("transform")
    return _scalars(transform.get("env")) if isinstance(transform, Mapping) else iter(())


def _scalars(found: object) -> Iterator[str]:
    """All values of a JSON value, also of a list as Kubernetes has it for a container's variables."""
    if isinstance(found, Mapping | list):
        for item in found.values() if isinstance(found, Mapping) else found:
            yield from _scalars(item)
    elif found is not None:
        yield str(found)


def _transform(reader: Reader, found: Mapping[str, Any]) -> model.Transform:
    path = "spec.transform"
    image = reader.text(found, f"{path}.image")
    if not image:
        reader.problems.append(f"{path}.image: missing; name the image that holds the spout's code")
    cmd = reader.texts(found, f"{path}.cmd")
    if not cmd:
        reader.problems.append(f"{path}.cmd: missing; name the program that the spout runs, and its arguments")
    secrets = tuple(
        model.SecretMount(
            name=_object_name(reader, reader.text(secret, f"{path}.secrets[].name"), f"{path}.secrets[].name"),
            key=reader.text(secret, f"{path}.secrets[].key"),
            env_var=reader.text(secret, f"{path}.secrets[].envVar"),
            mount_path=reader.text(secret, f"{path}.secrets[].mountPath"),
        )
        for secret in reader.sections(found, f"{path}.secrets")
    )
    return model.Transform(
        image=image,
        cmd=cmd,
        stdin=reader.texts(found, f"{path}.stdin"),
        env=reader.mapping(found, f"{path}.env"),
        secrets=secrets,
        image_pull_secrets=tuple(
            _object_name(reader, name, f"{path}.imagePullSecrets[]")
            for name in reader.texts(found, f"{path}.imagePullSecrets")
        ),
        working_dir=reader.text(found, f"{path}.workingDir"),
        user=reader.text(found, f"{path}.user"),
    )


def _object_name(reader: Reader, name: str, path: str) -> str:
    if name and not naming.is_object(name):
        reader.problems.append(f"{path}: found {name!r:.100}, expected {naming.OBJECT_RULE}")
    return name


def _service_type(reader: Reader, service: Mapping[str, Any]) -> str:
    path = "spec.spout.service.type"
    found = reader.text(service, path)
    if found and found not in model.SERVICE_TYPES:
        reader.problems.append(f"{path}: found {found!r:.100}, expected one of {', '.join(model.SERVICE_TYPES)}")
    return found


def _spout_options(reader: Reader, found: Mapping[str, Any]) -> model.SpoutOptions:
    service = reader.section(found, "spec.spout.service")
    return model.SpoutOptions(
        overwrite=reader.flag(found, "spec.spout.overwrite"),
        marker=reader.text(found, "spec.spout.marker"),
        service=model.Service(
            internal_port=reader.number(service, "spec.spout.service.internalPort"),
            external_port=reader.number(service, "spec.spout.service.externalPort"),
            type=_service_type(reader, service),
        )
        if service
        else None,
    )


def _resources(reader: Reader, spec: Mapping[str, Any], path: str) -> model.Resources:
    found = reader.section(spec, path)
    gpu = reader.section(found, f"{path}.gpu")
    return model.Resources(
        cpu=reader.quantity(found, f"{path}.cpu", quantity.cores),
        memory=reader.quantity(found, f"{path}.memory", quantity.Quantity.parse),
        disk=reader.quantity(found, f"{path}.disk", quantity.Quantity.parse),
        gpu=model.Gpu(type=reader.text(gpu, f"{path}.gpu.type"), number=reader.number(gpu, f"{path}.gpu.number"))
        if gpu
        else None,
    )


def _toleration(reader: Reader, found: Mapping[str, Any]) -> model.Toleration:
    path = "spec.tolerations[]"
    return model.Toleration(
        key=reader.text(found, f"{path}.key"),
        operator=reader.text(found, f"{path}.operator") or "Equal",
        value=reader.text(found, f"{path}.value"),
        effect=reader.text(found, f"{path}.effect"),
        toleration_seconds=reader.number(found, f"{path}.tolerationSeconds") if "tolerationSeconds" in found else None,
    )


def _freshness(reader: Reader, found: Mapping[str, Any]) -> Freshness:
    path, default = "spec.freshness", Freshness()
    if found.get("startupGrace") is not None and found.get("maxCommitAge") is None:
        reader.problems.append(f"{path}.startupGrace: has no effect without maxCommitAge; set that too, or remove this")

    def read(field: str, otherwise: datetime.timedelta) -> datetime.timedelta:
        given = reader.duration(found, f"{path}.{field}")
        return otherwise if given is None else given

    return Freshness(
        max_commit_age=reader.duration(found, f"{path}.maxCommitAge", least=LEAST_COMMIT_AGE),
        startup_grace=read("startupGrace", default.startup_grace),
        marker_stalled_after=read("markerStalledAfter", default.marker_stalled_after),
        output_stalled_after=read("outputStalledAfter", default.output_stalled_after),
    )


def _scheduling(reader: Reader, found: Mapping[str, Any]) -> model.Scheduling:
    return model.Scheduling(
        node_selector=reader.mapping(found, "spec.schedulingSpec.nodeSelector"),
        priority_class_name=reader.text(found, "spec.schedulingSpec.priorityClassName"),
    )
