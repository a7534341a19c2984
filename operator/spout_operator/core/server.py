"""A Pachyderm: which one it is, and what it can do."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a server can do: the core decides by this, and never by a version."""

    marker: bool
    """Whether it keeps a spout's marker."""
    marker_can_change: bool
    """Whether a pipeline that has a marker can be given another one."""
    overwrite: bool
    """Whether a spout can replace files instead of adding to them."""
    service_type: str
    """The type of a Service that names none."""
    projects: bool
    """Whether it has projects other than `default`."""
    tolerations: bool
    """Whether a pipeline can have tolerations."""
    sidecar_resource_requests: bool
    """Whether a pipeline can say what the storage sidecar of its worker requests."""
    takes_over_without_restart: bool
    """Whether a pipeline without an owner can be given one without a new version."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """The Pachyderm that was asked; `version` and `capabilities` are None until it has told."""

    address: str
    version: str | None = None
    capabilities: Capabilities | None = None

    @property
    def major_version(self) -> str:
        """Releases of one major version hold the same pipelines; an upgrade to another one begins without any."""
        return (self.version or "").partition(".")[0]
