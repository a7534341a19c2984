"""What a server fills in where a spec says nothing: so that what is asked for can be compared with what it keeps."""

import dataclasses

from spout_operator.core.model import PipelineSpec
from spout_operator.core.server import Capabilities


def with_server_defaults(spec: PipelineSpec, capabilities: Capabilities) -> PipelineSpec:
    """The spec as the server keeps it."""
    service = spec.spout.service
    if service is None or service.type:
        return spec
    service = dataclasses.replace(service, type=capabilities.service_type)
    return dataclasses.replace(spec, spout=dataclasses.replace(spec.spout, service=service))
