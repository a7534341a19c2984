"""etcd, the store of kube-apiserver and of pachd."""

from pathlib import Path

from spout_testbed.network import BED_ADDRESS, ETCD_PEER_PORT, ETCD_PORT, LOOPBACK, http_ok
from spout_testbed.server import Server

ETCD_URL = f"http://{LOOPBACK}:{ETCD_PORT}"


def etcd_server(
    binary: Path, folder: Path, *, name: str = "etcd", port: int = ETCD_PORT, peer_port: int = ETCD_PEER_PORT
) -> Server:
    """An etcd that keeps its data in `folder`."""
    url = f"http://{LOOPBACK}:{port}"
    peer_url = f"http://{LOOPBACK}:{peer_port}"
    return Server(
        name,
        [
            str(binary),
            f"--data-dir={folder / 'data'}",
            f"--listen-client-urls={url},http://{BED_ADDRESS}:{port}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            # The data are on a tmpfs that ends with the test bed, so to wait for a disk would protect nothing.
            "--unsafe-no-fsync",
            # The limits with which Pachyderm deploys its own etcd.
            "--max-txn-ops=10000",
            "--max-request-bytes=52428800",
            "--log-level=warn",
        ],
        env={},
        log=folder / "log",
        ready=lambda _output: http_ok(f"{url}/health"),
        ready_means="its /health answers",
    )
