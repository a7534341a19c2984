"""The nouns: what a Spout asks for and what a Pachyderm holds, in one neutral form.

Both sides are brought to these types (the resource by `core.spec.parsing`, the server's answer by an
adapter), with the server's defaults filled in, so that comparing them is comparing values.
Frozen throughout: an observation does not change under the one who decides on it.
"""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import NamedTuple

from spout_operator.core.freshness import Freshness
from spout_operator.core.spec.quantity import Quantity


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SecretMount:
    """A Kubernetes Secret given to the user code, as a file tree or as one variable."""

    name: str
    key: str = ""
    env_var: str = ""
    mount_path: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Transform:
    """The code to run and its environment."""

    image: str
    cmd: tuple[str, ...]
    stdin: tuple[str, ...] = ()
    # Not in what is printed of it: a value may be a password.
    env: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    secrets: tuple[SecretMount, ...] = ()
    image_pull_secrets: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A Kubernetes Service in front of the spout.

    `external_port` 0 lets Kubernetes choose the port, an empty `type` lets Pachyderm choose the type.
    """

    internal_port: int
    external_port: int = 0
    type: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SpoutOptions:
    """The `spout` section of the pipeline spec; an empty marker means none is kept."""

    overwrite: bool = False
    marker: str = ""
    service: Service | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """A GPU resource: its Kubernetes resource name and how many."""

    type: str
    number: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """Requests or limits of the user container."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    disk: Quantity | None = None
    gpu: Gpu | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Scheduling:
    """Where the worker Pod may run."""

    node_selector: Mapping[str, str] = dataclasses.field(default_factory=dict)
    priority_class_name: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Toleration:
    """A taint of nodes that the worker Pod tolerates, in the words of Kubernetes.

    `toleration_seconds` is None where the Pod may stay for ever.
    """

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PipelineSpec:
    """The part of a pipeline that the operator owns: these fields are compared and written.

    `restart_nonce` travels in the pipeline's metadata: a new value is a difference, and a
    difference restarts the spout.
    """

    transform: Transform
    description: str = ""
    spout: SpoutOptions = dataclasses.field(default_factory=SpoutOptions)
    resource_requests: Resources = dataclasses.field(default_factory=Resources)
    resource_limits: Resources = dataclasses.field(default_factory=Resources)
    sidecar_resource_requests: Resources = dataclasses.field(default_factory=Resources)
    sidecar_resource_limits: Resources = dataclasses.field(default_factory=Resources)
    scheduling_spec: Scheduling = dataclasses.field(default_factory=Scheduling)
    tolerations: tuple[Toleration, ...] = ()
    pod_patch: str = ""
    restart_nonce: str = ""


# These two are keys: each poll and each resync looks up every Spout and every pipeline several times, and a tuple has
# its hash and its comparison in C.
class SpoutKey(NamedTuple):
    """Which Spout: `namespace/name` within one cluster."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


#: Of a pipeline that names no project; the only project of a server that has none.
DEFAULT_PROJECT = "default"
#: Of the Service of a spout, in every version of Pachyderm.
SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer")


class PipelineName(NamedTuple):
    """Which pipeline of a Pachyderm, and so which output repo: `name` in the project `default`, else `project/name`."""

    name: str
    project: str = DEFAULT_PROJECT

    def __str__(self) -> str:
        return self.name if self.project == DEFAULT_PROJECT else f"{self.project}/{self.name}"

    def __repr__(self) -> str:
        return repr(str(self))


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """What the owner annotations of a pipeline say: which Spout of which cluster it belongs to.

    `cluster` is the uid of the namespace kube-system, or `--cluster-id`: two clusters that share one
    Pachyderm do not take each other's pipelines, unless one is a clone of the other
    (docs/decisions/0003-ownership.md).
    """

    cluster: str
    spout: SpoutKey


class PipelineState(enum.StrEnum):
    """What Pachyderm says of a pipeline, in the words of the STATE column."""

    STARTING = "Starting"
    RUNNING = "Running"
    RESTARTING = "Restarting"
    FAILURE = "Failure"
    PAUSED = "Paused"
    STANDBY = "Standby"
    CRASHING = "Crashing"
    UNKNOWN = "Unknown"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """A pipeline as Pachyderm holds it.

    `spec` is None where it is no spout. `owner` is None where it carries no owner annotations (or some that
    cannot be read). `workers` is (available, requested), None where that is not known.
    """

    name: PipelineName
    spec: PipelineSpec | None
    owner: Owner | None
    version: int
    spec_commit: str
    state: PipelineState
    reason: str
    stopped: bool
    created_at: datetime.datetime | None
    workers: tuple[int, int] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """A commit of a repo; `finished_at` is None while it is open, `size` is in bytes.

    `is_automatic` where the server made it by itself, for example when it created the pipeline; `is_finishing` where
    it was asked to finish it, and has not done so yet.
    """

    id: str
    parent: str | None
    finished_at: datetime.datetime | None
    size: int
    is_automatic: bool = False
    is_finishing: bool = False

    @property
    def is_left_open(self) -> bool:
        """Whether the server made it, and nobody has asked to finish it."""
        return self.is_automatic and self.finished_at is None and not self.is_finishing


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Heads:
    """The commits that the output and the marker branch point at; None where there is none."""

    output: str | None = None
    marker: str | None = None


class DeletionPolicy(enum.StrEnum):
    """What becomes of the pipeline when its Spout is deleted."""

    DELETE = "Delete"
    KEEP_REPO = "KeepRepo"
    ORPHAN = "Orphan"


class AdoptionPolicy(enum.StrEnum):
    """Whether a Spout takes over a pipeline that is there already."""

    NEVER = "Never"
    IF_UNOWNED = "IfUnowned"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Spout:
    """What a Spout resource asks for, parsed."""

    key: SpoutKey
    pipeline_name: PipelineName
    spec: PipelineSpec
    suspend: bool = False
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    adoption_policy: AdoptionPolicy = AdoptionPolicy.NEVER
    freshness: Freshness = dataclasses.field(default_factory=Freshness)
