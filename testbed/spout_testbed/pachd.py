"""What every pachd of the test bed has in common: its rights, pachctl's configuration, and when it is ready."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spout_testbed import network
from spout_testbed.kube_api import Json, KubeApi
from spout_testbed.network import BED_ADDRESS, LOOPBACK, PachdPorts
from spout_testbed.server import Server

READ = ("get", "list", "watch")
STORAGE_SECRET = "pachyderm-storage-secret"  # noqa: S105 - a name
"""The Secret of the storage backend. Each worker mounts it; a local deployment of Pachyderm has an empty one."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one pachd is found."""

    namespace: str
    """The namespace of its workers."""
    ports: PachdPorts

    @property
    def address(self) -> str:
        """The address for clients."""
        return f"grpc://{LOOPBACK}:{self.ports.api}"


def prepare_namespace(api: KubeApi, place: Place) -> None:
    """Create the namespace, with the Secret that all workers mount."""
    api.ensure("/api/v1/namespaces", {"metadata": {"name": place.namespace}})
    api.ensure(f"/api/v1/namespaces/{place.namespace}/secrets", {"metadata": {"name": STORAGE_SECRET}})


def grant(api: KubeApi, name: str, subject: Json, rules: Sequence[Json], *, namespace: str = "") -> None:
    """Give a user or ServiceAccount these rights, in a namespace, or in the whole cluster if none is named."""
    kind = "Role" if namespace else "ClusterRole"
    rbac = "/apis/rbac.authorization.k8s.io/v1" + (f"/namespaces/{namespace}" if namespace else "")
    api.ensure(f"{rbac}/{kind.lower()}s", {"metadata": {"name": name}, "rules": list(rules)})
    binding: Json = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [subject],
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


def services(place: Place, *, etcd_port: int) -> dict[str, str]:
    """The variables that Kubernetes sets in every Pod for the Services of this Pachyderm."""
    return {
        "ETCD_SERVICE_HOST": BED_ADDRESS,
        "ETCD_SERVICE_PORT": str(etcd_port),
        "KUBERNETES_SERVICE_HOST": BED_ADDRESS,
        "KUBERNETES_SERVICE_PORT": str(network.APISERVER_PORT),
        "KUBERNETES_PORT_443_TCP_ADDR": BED_ADDRESS,
        "PACHD_SERVICE_HOST": BED_ADDRESS,
        "PACHD_SERVICE_PORT": str(place.ports.api),
    }


def images(binaries: Path, folder: Path, *, version: str) -> dict[str, dict[str, Path]]:
    """The files of Pachyderm's own images that its Pods need, by the names of the images.

    Args:
        binaries: the folder of the programs.
        folder: where this function writes the program that was not built.
        version: the version in the names of the images.
    """
    # As pachd 2 starts the worker; this one has no orphans to reap.
    dumb_init = folder / "dumb-init"
    dumb_init.write_text('#!/bin/sh\nshift\nexec "$@"\n')
    dumb_init.chmod(0o755)
    worker = {f"/app/{name}": binaries / name for name in ("init", "worker", "pachctl")}
    return {
        worker_image(version): {**worker, "/app/dumb-init": dumb_init},
        sidecar_image(version): {"/pachd": binaries / "pachd"},
    }


def worker_image(version: str) -> str:
    """The image of the init container."""
    return f"pachyderm/worker:{version}"


def sidecar_image(version: str) -> str:
    """The image of the storage sidecar."""
    return f"pachyderm/pachd:{version}"


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
