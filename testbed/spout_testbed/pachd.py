"""What every pachd of the test bed has in common: its rights, pachctl's configuration, and when it is ready."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spout_testbed import network
from spout_testbed.kube_api import Json, KubeApi
from spout_testbed.network import LOOPBACK, PachdPorts
from spout_testbed.server import Server

READ = ("get", "list", "watch")
STORAGE_SECRET = "pachyderm-storage-secret"  # noqa: S105 - a name
"""The Secret of the storage backend. Each worker mounts it; a local deployment of Pachyderm has an empty one."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one pachd is found."""

    namespace: str
    """The namespace of its workers."""
    user: str
    """Whom the API server takes it for."""
    ports: PachdPorts

    @property
    def address(self) -> str:
        """The address for clients."""
        return f"grpc://{LOOPBACK}:{self.ports.api}"


def prepare_namespace(api: KubeApi, place: Place) -> None:
    """Create the namespace, with the Secret that all workers mount."""
    api.ensure("/api/v1/namespaces", {"metadata": {"name": place.namespace}})
    api.ensure(f"/api/v1/namespaces/{place.namespace}/secrets", {"metadata": {"name": STORAGE_SECRET}})


def grant(api: KubeApi, place: Place, rules: Sequence[Json], *, cluster: bool) -> None:
    """Give pachd its rights, in its namespace or in the whole cluster."""
    kind = "ClusterRole" if cluster else "Role"
    rbac = "/apis/rbac.authorization.k8s.io/v1" + ("" if cluster else f"/namespaces/{place.namespace}")
    role: Json = {"metadata": {"name": "pachyderm"}, "rules": list(rules)}
    api.ensure(f"{rbac}/{kind.lower()}s", role)
    binding: Json = {
        "metadata": {"name": "pachyderm"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "pachyderm"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": place.user}],
    }
    api.ensure(f"{rbac}/{kind.lower()}bindings", binding)


def pachd(name: str, binaries: Path, folder: Path, place: Place, env: Mapping[str, str]) -> Server:
    """The pachd of `binaries`, with the environment `env` and the ports of its place."""
    ports = place.ports
    config = _write_config(config_in(folder), place)
    return Server(
        name,
        [str(binaries / "pachd")],
        env={
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "PACH_NAMESPACE": place.namespace,
            "PORT": str(ports.api),
            "PEER_PORT": str(ports.peer),
            "S3GATEWAY_PORT": str(ports.s3),
            "OIDC_PORT": str(ports.oidc),
            "METRICS": "false",
            **env,
        },
        log=folder / "log",
        ready=lambda _output: _is_ready(binaries, config, ports),
        ready_means=f"it lists its pipelines on port {ports.api}",
    )


def config_in(folder: Path) -> Path:
    """The file with which pachctl reaches the pachd in this folder (`PACH_CONFIG`)."""
    return folder / "pachctl.json"


def _write_config(path: Path, place: Place) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    contexts = {"testbed": {"pachd_address": place.address}}
    path.write_text(json.dumps({"user_id": "testbed", "v2": {"active_context": "testbed", "contexts": contexts}}))
    return path


def _is_ready(binaries: Path, config: Path, ports: PachdPorts) -> bool:
    if not network.port_answers(ports.api) or not network.port_answers(ports.peer):
        return False
    # The port accepts connections before the server answers requests.
    command = [str(binaries / "pachctl"), "list", "pipeline"]
    env = {"PACH_CONFIG": str(config), "HOME": str(config.parent)}
    try:
        answer = subprocess.run(command, env=env, capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0
