"""Between the neutral model and a pipeline spec of Pachyderm 2 in JSON, as `pachctl create pipeline` sends it.

The spec that a user wrote is what is compared (`user_spec_json`): cluster and project defaults change the effective
spec under it, and that is no difference. pachd takes both spellings of a field, `resourceRequests` and
`resource_requests`, and keeps what was written; null is the same as absent.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from spout_operator.core import model
from spout_operator.core.owner_annotations import RESTART_NONCE
from spout_operator.pachyderm import owners, values

Json = dict[str, Any]

#: 2.12.2, src/server/pps/server/api_server.go setPipelineDefaults.
SERVICE_TYPE = "NodePort"
#: pps.proto, TolerationOperator and TaintEffect, beside the words of Kubernetes.
_OPERATORS = {"Equal": "EQUAL", "Exists": "EXISTS"}
_EFFECTS = {
    "": "ALL_EFFECTS",
    "NoSchedule": "NO_SCHEDULE",
    "PreferNoSchedule": "PREFER_NO_SCHEDULE",
    "NoExecute": "NO_EXECUTE",
}
_NAMES_OF_OPERATORS = {**{word: name for name, word in _OPERATORS.items()}, "EMPTY": "Equal"}
_NAMES_OF_EFFECTS = {word: name for name, word in _EFFECTS.items()}
_CAPITAL = re.compile("[A-Z]")


def spec_json(name: model.PipelineName, spec: model.PipelineSpec, owner: model.Owner) -> str:
    """The CreatePipelineRequest of a pipeline, in JSON, without what is absent."""
    scheduling = spec.scheduling_spec
    return json.dumps(
        _present(
            pipeline={"project": {"name": name.project}, "name": name.name},
            description=spec.description,
            metadata={"annotations": owners.annotations(spec, owner)},
            transform=_transform_to(spec.transform),
            resourceRequests=_resources_to(spec.resource_requests),
            resourceLimits=_resources_to(spec.resource_limits),
            sidecarResourceRequests=_resources_to(spec.sidecar_resource_requests),
            sidecarResourceLimits=_resources_to(spec.sidecar_resource_limits),
            schedulingSpec=_present(
                nodeSelector=dict(scheduling.node_selector), priorityClassName=scheduling.priority_class_name
            ),
            tolerations=[_toleration_to(toleration) for toleration in spec.tolerations],
            podPatch=spec.pod_patch,
        )
        # An empty object makes it a spout.
        | {"spout": _present(service=_service_to(spec.spout.service))}
    )


def annotations_of(user_spec: str) -> Mapping[str, str]:
    """The annotations in a spec that a user wrote; empty where it is none."""
    return _texts(_section(_section(_parse(user_spec), "metadata"), "annotations"))


def spec_from(user_spec: str) -> model.PipelineSpec | None:
    """The model of a spec that a user wrote; None where it is no spout, or no spec at all."""
    found = _parse(user_spec)
    if found.get("spout") is None:
        return None
    scheduling = _section(found, "scheduling_spec")
    return model.PipelineSpec(
        transform=_transform_from(_section(found, "transform")),
        description=_text(found, "description"),
        spout=model.SpoutOptions(service=_service_from(_section(found, "spout").get("service"))),
        resource_requests=_resources_from(_section(found, "resource_requests")),
        resource_limits=_resources_from(_section(found, "resource_limits")),
        sidecar_resource_requests=_resources_from(_section(found, "sidecar_resource_requests")),
        sidecar_resource_limits=_resources_from(_section(found, "sidecar_resource_limits")),
        scheduling_spec=model.Scheduling(
            node_selector=_texts(_section(scheduling, "node_selector")),
            priority_class_name=_text(scheduling, "priority_class_name"),
        ),
        tolerations=tuple(_toleration_from(each) for each in _sections(found, "tolerations")),
        pod_patch=values.json_or_as_is(_text(found, "pod_patch")),
        restart_nonce=annotations_of(user_spec).get(RESTART_NONCE, ""),
    )


def _transform_to(transform: model.Transform) -> Json:
    secrets = [
        _present(name=secret.name, key=secret.key, envVar=secret.env_var, mountPath=secret.mount_path)
        for secret in transform.secrets
    ]
    return _present(
        image=transform.image,
        cmd=list(transform.cmd),
        stdin=list(transform.stdin),
        env=dict(transform.env),
        secrets=secrets,
        imagePullSecrets=list(transform.image_pull_secrets),
        workingDir=transform.working_dir,
        user=transform.user,
    )


def _transform_from(found: Json) -> model.Transform:
    return model.Transform(
        image=_text(found, "image"),
        cmd=_list(found, "cmd"),
        stdin=_list(found, "stdin"),
        env=_texts(found.get("env") or {}),
        secrets=tuple(
            model.SecretMount(
                name=_text(secret, "name"),
                key=_text(secret, "key"),
                env_var=_text(secret, "env_var"),
                mount_path=_text(secret, "mount_path"),
            )
            for secret in _sections(found, "secrets")
        ),
        image_pull_secrets=_list(found, "image_pull_secrets"),
        working_dir=_text(found, "working_dir"),
        user=_text(found, "user"),
    )


def _service_to(service: model.Service | None) -> Json:
    if service is None:
        return {}
    return _present(internalPort=service.internal_port, externalPort=service.external_port, type=service.type)


def _service_from(found: Any) -> model.Service | None:  # noqa: ANN401 - JSON
    if found is None:
        return None
    service = _spelled(found)
    return model.Service(
        internal_port=int(service.get("internal_port") or 0),
        external_port=int(service.get("external_port") or 0),
        type=_text(service, "type") or SERVICE_TYPE,
    )


def _toleration_to(toleration: model.Toleration) -> Json:
    seconds = toleration.toleration_seconds
    found = _present(
        key=toleration.key,
        operator=_OPERATORS[toleration.operator],
        value=toleration.value,
        effect=_EFFECTS[toleration.effect],
    )
    # 0 is not the same as absent.
    return found if seconds is None else found | {"tolerationSeconds": seconds}


def _toleration_from(found: Json) -> model.Toleration:
    operator, effect = _text(found, "operator") or "EMPTY", _text(found, "effect") or "ALL_EFFECTS"
    seconds = found.get("toleration_seconds")
    return model.Toleration(
        key=_text(found, "key"),
        operator=_NAMES_OF_OPERATORS.get(operator, operator),
        value=_text(found, "value"),
        effect=_NAMES_OF_EFFECTS.get(effect, effect),
        toleration_seconds=None if seconds is None else int(seconds),
    )


def _resources_to(resources: model.Resources) -> Json:
    return _present(
        cpu=float(resources.cpu.value) if resources.cpu else 0,
        memory=resources.memory.text if resources.memory else "",
        disk=resources.disk.text if resources.disk else "",
        gpu={"type": resources.gpu.type, "number": resources.gpu.number} if resources.gpu else None,
    )


def _resources_from(found: Json) -> model.Resources:
    gpu = found.get("gpu")
    return model.Resources(
        cpu=values.cores_of(float(found.get("cpu") or 0)),
        memory=values.quantity(_text(found, "memory")),
        disk=values.quantity(_text(found, "disk")),
        gpu=None if gpu is None else model.Gpu(type=gpu.get("type") or "", number=int(gpu.get("number") or 0)),
    )


def _present(**fields: Any) -> Json:  # noqa: ANN401 - JSON
    return {name: value for name, value in fields.items() if value}


def _parse(text: str) -> Json:
    found = json.loads(text) if text else {}
    return _spelled(found) if isinstance(found, dict) else {}


def _spelled(found: Json) -> Json:
    """An object with all of its fields spelled as in pps.proto; that of a map of texts must not come here."""
    return {_CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", key): value for key, value in found.items()}


def _section(found: Json, field: str) -> Json:
    section = found.get(field) or {}
    # The keys of these maps are a user's own.
    return dict(section) if field in ("annotations", "node_selector") else _spelled(section)


def _sections(found: Json, field: str) -> Iterable[Json]:
    return [_spelled(each) for each in found.get(field) or ()]


def _list(found: Json, field: str) -> tuple[str, ...]:
    return tuple(found.get(field) or ())


def _text(found: Json, field: str) -> str:
    return str(found.get(field) or "")


def _texts(found: Json) -> dict[str, str]:
    return {key: str(value) for key, value in found.items()}
