"""The server and what a test can do to it."""

import re
from collections.abc import Mapping
from typing import Any

from python_pachyderm.proto.pfs import pfs_pb2_grpc
from python_pachyderm.proto.pps import pps_pb2_grpc
from python_pachyderm.proto.version.versionpb import version_pb2, version_pb2_grpc

from spout_operator.core.model import PipelineState
from spout_operator.pachyderm.v1.branches import MARKER_BRANCH, OUTPUT_BRANCH
from spout_operator.pachyderm.v1.sdk import pps_pb2
from tests.memory_pachd.base import MemoryServer
from tests.memory_pachd.pfs import PfsService
from tests.memory_pachd.pps import PpsService
from tests.memory_pachd.store import Repos, now


class MemoryPachd(MemoryServer):
    """A pachd that starts in milliseconds, and that fails, hangs and restarts when a test asks for it.

    Args:
        limit: how many pipelines it takes; 16 for a Community Edition.
        tls: private key and certificate in PEM, for a server that speaks TLS.
    """

    def __init__(self, *, limit: int | None = None, tls: tuple[bytes, bytes] | None = None) -> None:
        super().__init__(tls=tls)
        self._repos = Repos()
        self._pps = PpsService(self._repos, limit=limit)
        self._version = _VersionService()

    def add_services(self, server: Any) -> None:
        pfs_pb2_grpc.add_APIServicer_to_server(PfsService(self._repos), server)
        pps_pb2_grpc.add_APIServicer_to_server(self._pps, server)
        version_pb2_grpc.add_APIServicer_to_server(self._version, server)

    def become(self, version: str) -> None:
        """Be of another version from now on: `MAJOR.MINOR.MICRO`, and whatever a build adds to it."""
        with self._gate.lock:
            self._version.become(version)

    def append_commit(self, repo: str, *, branch: str = OUTPUT_BRANCH, size: int = 1, finished: bool = True) -> str:
        """A new head of a branch, of `size` bytes; returns its id."""
        with self._gate.lock:
            return self._repos[repo].append(branch, size=size, finished=finished).id

    def finish_commit(self, repo: str, commit: str) -> None:
        """Finish an open commit."""
        with self._gate.lock:
            self._repos[repo].commits[commit].finished = now()

    def date_pipeline(self, name: str, *, ago: float) -> None:
        """Let a pipeline have been created `ago` seconds ago."""
        with self._gate.lock:
            self._pps.get_or_refuse(name).created_at.CopyFrom(now(ago=ago))

    def date_commit(self, repo: str, commit: str, *, ago: float) -> None:
        """Let a commit have been finished `ago` seconds ago."""
        with self._gate.lock:
            self._repos[repo].commits[commit].finished = now(ago=ago)

    def write_marker(self, repo: str, files: Mapping[str, bytes], *, finished: bool = True) -> str:
        """A new head of the marker branch that holds just these files; returns its id."""
        tree = {f"/{path}": content for path, content in files.items()}
        size = sum(map(len, files.values()))
        with self._gate.lock:
            return self._repos[repo].append(MARKER_BRANCH, size=size, finished=finished, files=tree).id

    def lose_spec(self, name: str) -> None:
        """Make the commit that holds a pipeline's spec unreadable."""
        with self._gate.lock:
            self._repos.lost_specs.add(self._pps.get_or_refuse(name).spec_commit.id)

    def set_state(self, name: str, state: PipelineState, reason: str = "") -> None:
        """Set the state and its reason, as the pipeline's controller would."""
        with self._gate.lock:
            info = self._pps.get_or_refuse(name)
            info.state = pps_pb2.PipelineState.Value(f"PIPELINE_{state.name}")
            info.reason = reason

    def come_up(self, name: str) -> None:
        """Let the pipeline run, and its worker answer."""
        self.set_state(name, PipelineState.RUNNING)
        self.workers(name, 1)

    def workers(self, name: str, available: int) -> None:
        """Set how many workers answer; one is requested."""
        with self._gate.lock:
            self._pps.get_or_refuse(name).workers_available = available


class _VersionService(version_pb2_grpc.APIServicer):  # type: ignore[misc] # generated, untyped
    def __init__(self) -> None:
        self.become("1.13.4")

    def become(self, version: str) -> None:
        found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
        assert found is not None, version
        major, minor, micro = map(int, found.groups())
        self._version = version_pb2.Version(major=major, minor=minor, micro=micro, additional=version[found.end() :])

    def GetVersion(self, _request: object, _context: object) -> Any:  # noqa: N802 - a Version
        return self._version
