"""What a spec asks for and a server does not have."""

from spout_operator.core.model import DEFAULT_PROJECT, Resources, Spout
from spout_operator.core.server import Capabilities


def unsupported(spout: Spout, capabilities: Capabilities) -> list[str]:
    """The paths of the fields that ask for what the server cannot do; none where it can do all of it."""
    spec = spout.spec
    asks_for_sidecar = spec.sidecar_resource_requests != Resources()
    return [
        field
        for field, is_asked, can in (
            ("spec.project", spout.pipeline_name.project != DEFAULT_PROJECT, capabilities.projects),
            ("spec.spout.marker", bool(spec.spout.marker), capabilities.marker),
            ("spec.spout.overwrite", spec.spout.overwrite, capabilities.overwrite),
            ("spec.tolerations", bool(spec.tolerations), capabilities.tolerations),
            ("spec.sidecarResourceRequests", asks_for_sidecar, capabilities.sidecar_resource_requests),
        )
        if is_asked and not can
    ]
