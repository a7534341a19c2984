"""A document that pachctl reads or prints, to what a Spout would ask for."""

import json
import re
from collections.abc import Mapping
from typing import Any

from spout_operator.core.model import DEFAULT_PROJECT, PipelineName
from spout_operator.core.owner_annotations import CLUSTER, RESTART_NONCE, SPOUT
from spout_operator.importing import fields
from spout_operator.importing.candidate import Candidate, Note, visible_secrets
from spout_operator.importing.errors import NoSpoutError, UnfitError, UnreadableError

_NOTHING: tuple[object, ...] = (None, "", 0, [], {})


def candidate(document: object) -> Candidate:
    """What a Spout would ask for, in the spelling of a Spout; its values are not checked.

    Args:
        document: what `pachctl create pipeline` takes, or `pachctl inspect pipeline --raw` prints.

    Raises:
        NoSpoutError: the pipeline is of another kind.
        UnfitError: the pipeline has no spec, or says one thing twice.
        UnreadableError: it is not about a pipeline.
    """
    info = _spelled_once(_object(document))
    name = _name(info)
    asked = _asked_for(document, info, name)
    spec = _spelled_once(asked)
    _see_that_it_is_a_spout(spec, name)
    translation = _Translation(name)
    found = translation.section(fields.SPEC, asked, ())
    nonce = translation.metadata(spec.get("metadata"), beside=None if asked is document else info.get("metadata"))
    return Candidate(
        name=name,
        spec={**found, **({"restartNonce": nonce} if nonce else {})},
        suspend=info.get("stopped") is True,
        notes=(*translation.notes, *visible_secrets(_env(found))),
    )


def _object(document: object) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise UnreadableError("is no pipeline spec, which is an object with the fields pipeline, transform and spout")
    if "kind" in document and "apiVersion" in document:
        raise UnreadableError(f"is a manifest of Kubernetes (kind {document['kind']!r:.60}) and no pipeline spec")
    return document


def _spelled_once(found: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an object by their name in a Spout."""
    spelled: dict[str, Any] = {}
    for key, value in found.items():
        name = fields.camel_case(key)
        if name in spelled:
            raise UnreadableError(f"has the field {name} in two spellings; remove one of them")
        spelled[name] = value
    return spelled


def _name(spec: Mapping[str, Any]) -> PipelineName:
    found = spec.get("pipeline")
    pipeline = found if isinstance(found, Mapping) else {}
    project = pipeline.get("project")
    name = pipeline.get("name")
    if not isinstance(name, str) or not name:
        raise UnreadableError(
            'is no pipeline spec: it does not name a pipeline; expected {"pipeline": {"name": "my-spout"}, ...}'
        )
    in_project = project.get("name") if isinstance(project, Mapping) else None
    return PipelineName(
        project=in_project if isinstance(in_project, str) and in_project else DEFAULT_PROJECT, name=name
    )


def _asked_for(document: object, info: Mapping[str, Any], name: PipelineName) -> Mapping[str, Any]:
    """The object that has the fields of the spec: the document, or a part of what `inspect pipeline --raw` prints."""
    if isinstance(user_spec := info.get("userSpecJson"), str) and user_spec:
        # What somebody asked for, without the defaults of the cluster and of the project.
        try:
            return _object(json.loads(user_spec))
        except (ValueError, RecursionError):
            raise UnfitError(name, "has a userSpecJson that is no JSON; use its spec as it was created") from None
    if isinstance(details := info.get("details"), Mapping):
        return details
    if str(info.get("type", "")).startswith("PIPELINE_TYPE"):
        raise UnfitError(name, "is printed without its spec; print it with `pachctl inspect pipeline NAME --raw`")
    return _object(document)


def _see_that_it_is_a_spout(spec: Mapping[str, Any], name: PipelineName) -> None:
    given = spec.get("input")
    if isinstance(given, Mapping) and given:
        kinds = ", ".join(sorted(kind for kind in given if re.fullmatch(r"\w{1,20}", kind)))
        raise NoSpoutError(name, f"it has an input ({kinds})")
    if not isinstance(spec.get("spout"), Mapping):
        if spec.get("service"):
            raise NoSpoutError(name, "it is a service")
        raise NoSpoutError(name, "it has no field spout")


class _Translation:
    """Collects what is left out while the sections of a spec are read."""

    def __init__(self, name: PipelineName) -> None:
        self.notes: list[Note] = []
        self._name = name

    def section(self, known: Mapping[str, Any], found: object, at: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
        """The fields of an object that a Spout has."""
        if not isinstance(found, Mapping):
            return found
        section = {}
        for key, value in found.items():
            name = fields.camel_case(key)
            kind = known.get(name)
            if name in section:
                raise UnfitError(self._name, f"has the field {'.'.join((*at, name))} in two spellings; remove one")
            if value is None:
                continue
            if isinstance(kind, fields.Each):
                section[name] = self._items(kind, value, (*at, name))
            elif isinstance(kind, Mapping):
                section[name] = self.section(kind, value, (*at, name))
            elif kind is not None:
                section[name] = kind(value)
            else:
                self._leave_out(at, key, name, value)
        return section

    def _items(self, known: Mapping[str, Any], found: object, at: tuple[str, ...]) -> object:
        if not isinstance(found, list):
            return found
        return [self.section(known, item, at) for item in found]

    def _leave_out(self, at: tuple[str, ...], key: str, name: str, value: object) -> None:
        path = ".".join((*at, name))
        if not at and name in fields.NOT_ASKED_FOR:
            return
        if value in _NOTHING or value in fields.DEFAULTS.get(path, ()):
            return
        if path == "metadata":
            return
        self.notes.append(Note(at=at, field=key, reason=fields.LEFT_OUT.get(path, fields.UNKNOWN)))

    def metadata(self, found: object, *, beside: object) -> object:
        """Note what is in the metadata of the pipeline, which a Spout has no field for.

        Args:
            found: of the spec.
            beside: the annotations that the server keeps beside the spec; None where there are none.

        Returns:
            The only thing in it that a Spout has: its restart nonce.
        """
        metadata = found if isinstance(found, Mapping) else {}
        given = metadata.get("annotations")
        annotations = dict(given) if isinstance(given, Mapping) else {}
        owner = beside.get(SPOUT) if isinstance(beside, Mapping) else None
        owner = annotations.pop(SPOUT, None) or owner
        if owner:
            self.notes.append(Note.of_owner(str(owner)))
        annotations.pop(CLUSTER, None)
        nonce = annotations.pop(RESTART_NONCE, None)
        for field, value in (("annotations", annotations), ("labels", metadata.get("labels"))):
            self._leave_out(("metadata",), field, field, value)
        return nonce


def _env(found: Mapping[str, Any]) -> Mapping[str, Any]:
    transform = found.get("transform")
    env = transform.get("env") if isinstance(transform, Mapping) else None
    return env if isinstance(env, Mapping) else {}
