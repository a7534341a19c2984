"""The whole `status` of a Spout from what is known of it. Equal inputs give an equal status: no write."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from spout_operator.core.model import DEFAULT_PROJECT, Pipeline, Spout
from spout_operator.core.reasons import Reason
from spout_operator.core.redaction import Secrets
from spout_operator.core.server import Server
from spout_operator.core.status import commits as progress
from spout_operator.core.status import conditions, freshness, freshness_memory
from spout_operator.core.timestamps import print_time


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StatusInputs:
    """What a reconcile found out; None means: nothing new, what the status says stays."""

    conditions: tuple[conditions.Condition, ...]
    server: Server
    spout: Spout | None = None
    """What is asked for; None where there was no whole look."""
    pipeline: Pipeline | None = None
    commits: progress.CommitCount | None = None
    marker: Mapping[str, Any] | None = None
    forgets: bool = False
    """True where there is no pipeline of this Spout: what the status said of one is dropped."""


def build(
    previous: Mapping[str, Any], inputs: StatusInputs, *, secrets: Secrets, generation: int, now: datetime.datetime
) -> dict[str, Any]:
    """The status to be shown, the one place where what Pachyderm says gets into it.

    Args:
        previous: the status as it is now; sections about which nothing new is known are kept.
        inputs: what was found out.
        secrets: what must not be in it.
        generation: the generation of the spec that this is about.
        now: for conditions whose status changes.
    """
    kept: Mapping[str, Any] = {} if inputs.forgets else previous
    sections: dict[str, Any] = {
        "pipeline": _pipeline(inputs.pipeline, secrets) if inputs.pipeline else kept.get("pipeline"),
        "commits": progress.to_status(inputs.commits) if inputs.commits else kept.get("commits"),
        "marker": inputs.marker if inputs.marker is not None else kept.get("marker"),
        "freshness": kept.get("freshness"),
        "pachyderm": _server(inputs, previous, kept),
    }
    ready = next(condition for condition in inputs.conditions if condition.type == conditions.READY)
    if inputs.spout is None or inputs.pipeline is None:
        further = freshness.keep(kept, ready=ready)
    elif inputs.commits is None:
        further = freshness.keep(kept, ready=None)
    else:
        # Not the commit of the inputs: a status has whole seconds, and `freshness.due_in` reads the status.
        last = progress.last_commit(sections)
        memory = freshness_memory.remember(inputs.spout, inputs.pipeline, previous, sections, last, now=now)
        sections["freshness"] = freshness_memory.to_status(memory)
        seen = freshness.Seen(memory=memory, last=last, marker_moved=freshness_memory.marker_moved(sections))
        further = freshness.judge(inputs.spout, inputs.pipeline, seen, ready, now=now)
    return {
        "observedGeneration": generation,
        "conditions": conditions.merge(
            previous.get("conditions", ()),
            (*inputs.conditions, *further),
            secrets=secrets,
            generation=generation,
            now=now,
        ),
        **{name: section for name, section in sections.items() if section},
    }


def _pipeline(pipeline: Pipeline, secrets: Secrets) -> dict[str, Any]:
    shown: dict[str, Any] = {
        **({"project": pipeline.name.project} if pipeline.name.project != DEFAULT_PROJECT else {}),
        "name": pipeline.name.name,
        "version": pipeline.version,
        "specCommit": pipeline.spec_commit,
        "state": str(pipeline.state),
        "stopped": pipeline.stopped,
    }
    if pipeline.reason:
        shown["reason"] = secrets.shown(pipeline.reason)
    if pipeline.workers is not None:
        shown["workersAvailable"], shown["workersRequested"] = pipeline.workers
    if pipeline.created_at is not None:
        shown["createdAt"] = print_time(pipeline.created_at)
    return shown


def last_seen(status: Mapping[str, Any]) -> Server | None:
    """The Pachyderm on which the pipeline was last observed; None where a status tells of no pipeline."""
    known = status.get("pachyderm", {})
    if not status.get("pipeline") or not known.get("version"):
        return None
    return Server(address=known.get("address", ""), version=known["version"])


def _server(inputs: StatusInputs, previous: Mapping[str, Any], kept: Mapping[str, Any]) -> Mapping[str, str]:
    address, known = inputs.server.address, previous.get("pachyderm", {})
    if inputs.pipeline is None and last_seen(kept) is not None:
        # It belongs to what is kept of the pipeline: that would be lost on a server that does not have it.
        return dict(known)
    # What is not supported is of another version than what was: the message has it.
    is_another = any(condition.reason is Reason.UNSUPPORTED_PACHYDERM for condition in inputs.conditions)
    before = known.get("version") if known.get("address") == address and not is_another else None
    version = inputs.server.version or before
    return {"address": address, **({"version": version} if version else {})}
