"""The server and what a test can do to it."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc
from python_pachyderm.proto.pfs import pfs_pb2_grpc
from python_pachyderm.proto.pps import pps_pb2_grpc
from python_pachyderm.proto.version.versionpb import version_pb2, version_pb2_grpc

from spout_operator.core.model import PipelineState
from spout_operator.pachyderm.v1.branches import MARKER_BRANCH, OUTPUT_BRANCH
from spout_operator.pachyderm.v1.sdk import pps_pb2
from tests.memory_pachd.gate import Calls, Gate
from tests.memory_pachd.pfs import PfsService
from tests.memory_pachd.pps import PpsService
from tests.memory_pachd.store import Repos, now

HOST = "127.0.0.1"
THREADS = 16


class MemoryPachd:
    """A pachd that starts in milliseconds, and that fails, hangs and restarts when a test asks for it.

    Args:
        limit: how many pipelines it takes; 16 for a Community Edition.
        tls: private key and certificate in PEM, for a server that speaks TLS.
    """

    def __init__(self, *, limit: int | None = None, tls: tuple[bytes, bytes] | None = None) -> None:
        self.port = 0
        self._tls = tls
        self._gate = Gate()
        self._repos = Repos()
        self._pps = PpsService(self._repos, limit=limit)
        self._version = _VersionService()
        self._server: Any = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """The address for the operator's `--pachd-address`."""
        return f"{'grpcs' if self._tls else 'grpc'}://{HOST}:{self.port}"

    @property
    def calls(self) -> Calls:
        """How often each method was called, by name: `calls["ListPipeline"]`."""
        return self._gate.calls

    @property
    def metadata(self) -> Mapping[str, str]:
        """The metadata of the last call, `authn-token` among it."""
        return self._gate.metadata

    def start(self, *, port: int | None = None) -> None:
        """Listen: on a free port at first, afterwards on the same one unless told another. All data are kept."""
        self._server = grpc.server(
            ThreadPoolExecutor(THREADS), interceptors=[self._gate], options=[("grpc.so_reuseport", 0)]
        )
        pfs_pb2_grpc.add_APIServicer_to_server(PfsService(self._repos), self._server)
        pps_pb2_grpc.add_APIServicer_to_server(self._pps, self._server)
        version_pb2_grpc.add_APIServicer_to_server(self._version, self._server)
        where = f"{HOST}:{self.port if port is None else port}"
        self.port = (
            self._server.add_secure_port(where, grpc.ssl_server_credentials([self._tls]))
            if self._tls
            else self._server.add_insecure_port(where)
        )
        self._server.start()

    def stop(self) -> None:
        """Cancel all calls and stop listening."""
        self._server.stop(grace=None).wait()

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

    def fail(self, method: str, code: grpc.StatusCode, details: str, *, times: int = 1, after: int = 0) -> None:
        """Make the next calls of a method fail, `after` a number of calls that do not."""
        self._gate.fail(method, (code, details), times, after)

    def hang(self, method: str) -> None:
        """Make the calls of a method wait until `release` or the caller's deadline."""
        self._gate.hang(method)

    def answer_late(self, method: str) -> None:
        """Execute the next call of a method at once, and answer it only at `release`."""
        self._gate.answer_late(method)

    def release(self, method: str) -> None:
        """Let the waiting calls of a method continue."""
        self._gate.release(method)


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
