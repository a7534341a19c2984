"""A candidate to a manifest that the operator's own parser accepts."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from spout_operator.core import model
from spout_operator.core.errors import Stalled
from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec import manifest as written
from spout_operator.core.spec import naming, parsing
from spout_operator.importing.candidate import Candidate, Note
from spout_operator.importing.errors import UnfitError
from spout_operator.kubernetes.resource import GROUP, VERSION

#: Of a Service that names none: Pachyderm fills it in, and then nobody can tell whether somebody asked for it
#: (setPipelineDefaults in api_server.go, of 1.13.4 and of 2.12.2).
_SERVICE_TYPE = "NodePort"

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A Spout to apply.

    `comments` has the comments of an object by its path in the body. No such object is empty.
    """

    pipeline: model.PipelineName
    name: str
    body: Mapping[str, Any]
    comments: Mapping[Path, tuple[str, ...]]


def manifest_of(candidate: Candidate) -> Manifest:
    """The manifest of a pipeline, without a default and without a namespace.

    Raises:
        UnfitError: no Spout asks for this pipeline; the message has every finding of the parser.
    """
    pipeline = _fitting(candidate.name)
    name = _object_name(pipeline)
    spec = {**candidate.spec, "name": pipeline.name, "project": pipeline.project, "suspend": candidate.suspend}
    try:
        spout = parsing.parse_spout(_resource(name, spec))
    except Stalled as error:
        raise UnfitError(candidate.name, f"cannot be a Spout: {error.message}") from None
    body = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Spout",
        "metadata": {"name": name},
        "spec": written.spec_of(_without_default_type(spout)),
    }
    comments: dict[Path, tuple[str, ...]] = {}
    if pipeline != candidate.name:
        renamed = (
            f"the pipeline is named {candidate.name.name!r}, and no Spout can have that name; this Spout makes another "
            "pipeline, without the commits and the marker of that one"
        )
        comments["metadata",] = (renamed,)
    for note in candidate.notes:
        at = _place(body, note)
        comments[at] = (*comments.get(at, ()), note.text(at[1:]))
    return Manifest(pipeline=pipeline, name=name, body=body, comments=comments)


def _fitting(name: model.PipelineName) -> model.PipelineName:
    """The name, or the closest one that a spout can run under."""
    fitting = name.name if naming.is_runnable(name.name) else naming.proposal(name.name)
    if not fitting:
        raise UnfitError(name, f"cannot be a Spout: rename it to {naming.RULE}")
    return name._replace(name=fitting)


def _object_name(pipeline: model.PipelineName) -> str:
    """Another one for each project: two projects may have pipelines of the same name."""
    if pipeline.project == model.DEFAULT_PROJECT:
        return pipeline.name
    return f"{naming.proposal(pipeline.project)}-{pipeline.name}".strip("-")


def _resource(name: str, spec: Mapping[str, Any]) -> SpoutResource:
    metadata = {"name": name, "namespace": "", "uid": "", "resourceVersion": "", "creationTimestamp": ""}
    return SpoutResource.from_body({"metadata": metadata, "spec": spec})


def _without_default_type(spout: model.Spout) -> model.Spout:
    service = spout.spec.spout.service
    if service is None or service.type != _SERVICE_TYPE:
        return spout
    options = dataclasses.replace(spout.spec.spout, service=dataclasses.replace(service, type=""))
    return dataclasses.replace(spout, spec=dataclasses.replace(spout.spec, spout=options))


def _place(body: Mapping[str, Any], note: Note) -> Path:
    """The path of the innermost object around the field that the manifest has, and that is not empty."""
    place: Path = ("spec",)
    found = body["spec"]
    for part in note.at:
        found = found.get(part)
        if not isinstance(found, Mapping) or not found:
            break
        place = (*place, part)
    return place
