"""What `parsing` reads, the other way: a spec as a person would write it, without a default."""

import datetime
from collections.abc import Mapping
from typing import Any

from spout_operator.core import model
from spout_operator.core.freshness import Freshness
from spout_operator.core.spec import duration

Fields = dict[str, Any]


def spec_of(spout: model.Spout) -> Fields:
    """The spec of the Spout that `parsing.parse_spout` reads as this one, in the order of the CRD.

    A field that has its default is left out, but for `spout`, which the CRD requires.
    """
    name, spec = spout.pipeline_name, spout.spec
    return {
        **_given("name", name.name, default=spout.key.name),
        **_given("project", name.project, default=model.DEFAULT_PROJECT),
        **pipeline_fields(spec),
        **_given("freshness", _freshness(spout.freshness)),
        **_given("suspend", spout.suspend, default=False),
        **_given("restartNonce", spec.restart_nonce),
        **_given("deletionPolicy", str(spout.deletion_policy), default=model.DeletionPolicy.DELETE),
        **_given("adoptionPolicy", str(spout.adoption_policy), default=model.AdoptionPolicy.NEVER),
    }


def pipeline_fields(spec: model.PipelineSpec) -> Fields:
    """The fields that a pipeline is made of, without `restartNonce`."""
    return {
        **_given("description", spec.description),
        "transform": _transform(spec.transform),
        "spout": _spout(spec.spout),
        **_given("resourceRequests", _resources(spec.resource_requests)),
        **_given("resourceLimits", _resources(spec.resource_limits)),
        **_given("sidecarResourceRequests", _resources(spec.sidecar_resource_requests)),
        **_given("sidecarResourceLimits", _resources(spec.sidecar_resource_limits)),
        **_given("schedulingSpec", _scheduling(spec.scheduling_spec)),
        **_given("tolerations", [_toleration(toleration) for toleration in spec.tolerations]),
        **_given("podPatch", spec.pod_patch),
    }


def _transform(transform: model.Transform) -> Fields:
    return {
        **_given("image", transform.image),
        **_given("cmd", list(transform.cmd)),
        **_given("stdin", list(transform.stdin)),
        **_given("env", dict(transform.env)),
        **_given("secrets", [_secret(secret) for secret in transform.secrets]),
        **_given("imagePullSecrets", list(transform.image_pull_secrets)),
        **_given("workingDir", transform.working_dir),
        **_given("user", transform.user),
    }


def _secret(secret: model.SecretMount) -> Fields:
    return {
        **_given("name", secret.name),
        **_given("key", secret.key),
        **_given("envVar", secret.env_var),
        **_given("mountPath", secret.mount_path),
    }


def _spout(options: model.SpoutOptions) -> Fields:
    return {
        **_given("overwrite", options.overwrite, default=False),
        **_given("marker", options.marker),
        **({"service": _service(options.service)} if options.service else {}),
    }


def _service(service: model.Service) -> Fields:
    return {
        "internalPort": service.internal_port,
        **_given("externalPort", service.external_port, default=0),
        **_given("type", service.type),
    }


def _resources(resources: model.Resources) -> Fields:
    amounts = {"cpu": resources.cpu, "memory": resources.memory, "disk": resources.disk}
    gpu = resources.gpu
    return {
        # As it was written, and not the value: `500m` stays `500m`.
        **{name: amount.text for name, amount in amounts.items() if amount is not None},
        **({"gpu": {"type": gpu.type, "number": gpu.number}} if gpu else {}),
    }


def _scheduling(scheduling: model.Scheduling) -> Fields:
    return {
        **_given("nodeSelector", dict(scheduling.node_selector)),
        **_given("priorityClassName", scheduling.priority_class_name),
    }


def _freshness(freshness: Freshness) -> Fields:
    default, age = Freshness(), freshness.max_commit_age
    return {
        **({"maxCommitAge": duration.text(age)} if age is not None else {}),
        **_duration("startupGrace", freshness.startup_grace, default.startup_grace),
        **_duration("markerStalledAfter", freshness.marker_stalled_after, default.marker_stalled_after),
        **_duration("outputStalledAfter", freshness.output_stalled_after, default.output_stalled_after),
    }


def _duration(field: str, value: datetime.timedelta, default: datetime.timedelta) -> Fields:
    return {} if value == default else {field: duration.text(value)}


def _toleration(toleration: model.Toleration) -> Fields:
    return {
        **_given("key", toleration.key),
        **_given("operator", toleration.operator, default="Equal"),
        **_given("value", toleration.value),
        **_given("effect", toleration.effect),
        **_given("tolerationSeconds", toleration.toleration_seconds, default=None),
    }


def _given(field: str, value: object, *, default: object = "") -> Mapping[str, Any]:
    """The field, unless it has its default or nothing is in it."""
    return {} if value == default or value in ([], {}) else {field: value}
