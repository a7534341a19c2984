"""Objects for tests: valid, small, and different only in what the test is about.

Each builder takes the fields of what it builds as keywords; what is not given has a sensible value.
`a_spout()` is what `a_spout_body()` asks for, and `a_pipeline()` is a pipeline that matches it and is
owned by it, so that by default there is nothing to do.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from spout_operator.core import model
from spout_operator.core.decision import Situation
from spout_operator.core.errors import Retryable, Stalled, Unreachable
from spout_operator.core.marker import Marker, MarkerFile
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import SpoutResource
from spout_operator.core.server import Capabilities, Server
from spout_testbed.harness import bodies

Body = bodies.Body

#: A moment in whole seconds, as Kubernetes keeps them.
NOON = datetime.datetime(2026, 1, 31, 12, 0, tzinfo=datetime.UTC)

#: In the changes given to `a_spout_body`: take the field away.
ABSENT = bodies.ABSENT


def a_key(name: str = "my-spout", namespace: str = "ingest") -> model.SpoutKey:
    """The key of a Spout."""
    return model.SpoutKey(namespace=namespace, name=name)


def a_name(name: str = "my-spout", project: str = model.DEFAULT_PROJECT) -> model.PipelineName:
    """The name of a pipeline."""
    return model.PipelineName(project=project, name=name)


def a_spout_body(
    changes: Mapping[str, object] | None = None,
    *,
    name: str = "my-spout",
    namespace: str = "ingest",
    status: Mapping[str, Any] | None = None,
    **metadata: Any,
) -> Body:
    """A Spout as the API server has it.

    Args:
        changes: to the spec: from the dotted path of a field to its value, or to `ABSENT`.
        name: metadata.name.
        namespace: metadata.namespace.
        status: the status; none where not given.
        metadata: further fields of the metadata, in Kubernetes' own spelling.
    """
    body = bodies.a_spout(
        {"spout.marker": "offset", **(changes or {})},
        name=name,
        namespace=namespace,
        **{
            "uid": f"uid-of-{namespace}-{name}",
            "resourceVersion": "100",
            "generation": 1,
            "creationTimestamp": "2026-01-31T12:00:00Z",
            **metadata,
        },
    )
    if status is not None:
        body["status"] = dict(status)
    return body


def a_resource(
    changes: Mapping[str, object] | None = None, *, status: Mapping[str, Any] | None = None, **metadata: Any
) -> SpoutResource:
    """The same, as the operator reads it."""
    return SpoutResource.from_body(a_spout_body(changes, status=status, **metadata))


def a_transform(**fields: Any) -> model.Transform:
    """The code to run."""
    return model.Transform(**{"image": "myaccount/myimage:0.1", "cmd": ("go", "run", "./main.go"), **fields})


def a_spec(**fields: Any) -> model.PipelineSpec:
    """What a pipeline is made of; by default that of `a_spout_body()`."""
    defaults = {"transform": a_transform(), "spout": model.SpoutOptions(marker="offset")}
    return model.PipelineSpec(**{**defaults, **fields})


def a_spout(**fields: Any) -> model.Spout:
    """What a Spout asks for."""
    return model.Spout(**{"key": a_key(), "pipeline_name": a_name(), "spec": a_spec(), **fields})


def an_owner(**fields: Any) -> model.Owner:
    """The owner that the pipeline of `a_spout()` has."""
    return model.Owner(**{"cluster": "cluster-1", "spout": a_key(), **fields})


def a_pipeline(**fields: Any) -> model.Pipeline:
    """A running pipeline, as `a_spout()` asks for it and owned by `an_owner()`."""
    defaults = {
        "name": a_name(),
        "spec": a_spec(),
        "owner": an_owner(),
        "version": 1,
        "spec_commit": "speccommit1",
        "state": model.PipelineState.RUNNING,
        "reason": "",
        "stopped": False,
        "created_at": NOON,
        "workers": (1, 1),
    }
    return model.Pipeline(**{**defaults, **fields})


#: A server that can do all that the operator knows of, but for what no Pachyderm with markers can.
CAPABILITIES = Capabilities(
    marker=True,
    marker_can_change=False,
    overwrite=True,
    service_type="NodePort",
    projects=True,
    tolerations=True,
    sidecar_resource_requests=True,
    takes_over_without_restart=True,
)


def a_situation(**fields: Any) -> Situation:
    """A Spout whose pipeline is as it asks."""
    defaults = {
        "spout": a_spout(),
        "owner": an_owner(),
        "observed": a_pipeline(),
        "older_claim": None,
        "written": None,
        "capabilities": CAPABILITIES,
        "server": Server(address="grpc://pachd:650", version="2.0.0"),
        "last_seen": None,
        "denials": (),
    }
    return Situation(**{**defaults, **fields})


def a_commit(**fields: Any) -> model.Commit:
    """A finished commit without a parent; `finished_at=None` for an open one."""
    return model.Commit(**{"id": "commit1", "parent": None, "finished_at": NOON, "size": 4, **fields})


def a_marker_file(content: bytes | None = b"1041", **fields: Any) -> MarkerFile:
    """A file of a marker; for one that was too long to be read, `content=None` and its `size`."""
    return MarkerFile(**{"path": "offset", "size": len(content or b""), "content": content, **fields})


def a_marker(*files: MarkerFile, **fields: Any) -> Marker:
    """A marker that is a single file, or with `is_directory=True` a directory of `files`."""
    shown = fields.get("files", files or (a_marker_file(),))
    defaults = {
        "path": "offset",
        "branch": "marker",
        "is_directory": False,
        "files": shown,
        "files_total": len(shown),
        "commit": "markercommit1",
        "finished_at": NOON,
    }
    return Marker(**{**defaults, **fields})


def a_failure(said: str = "etcdserver: request timed out") -> Retryable:
    """What a call raises that Pachyderm answered with trouble that passes."""
    return Retryable(Reason.PACHYDERM_ERROR, "could not do it: Pachyderm failed; it is tried again", said=said)


def an_outage(said: str = "UNAVAILABLE: down") -> Unreachable:
    """What a call raises that Pachyderm did not answer."""
    return Unreachable("could not do it: Pachyderm did not answer; it is tried again", said=said)


def a_refusal(said: str = "", reason: Reason = Reason.PIPELINE_REJECTED) -> Stalled:
    """What a call raises that only a person can mend."""
    return Stalled(reason, "could not do it: Pachyderm refuses it", said=said)
