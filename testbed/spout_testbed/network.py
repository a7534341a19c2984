"""The addresses in a test bed. They are fixed, because each test bed has its own network without other servers."""

import socket
import urllib.request
from dataclasses import dataclass
from urllib.error import URLError

LOOPBACK = "127.0.0.1"
BED_ADDRESS = "192.0.2.1"
"""An address (RFC 5737) that is not a loopback address. pachd 1.13 does not start on a machine without one."""

ETCD_PORT = 2379
ETCD_PEER_PORT = 2380
APISERVER_PORT = 443
"""Without credentials, pachd always uses this port of the API server."""
PACHYDERM_ETCD_PORT = 2479
PACHYDERM_ETCD_PEER_PORT = 2480
"""Pachyderm 2 has an etcd of its own, as its chart installs one; Pachyderm 1 shares that of Kubernetes."""
POSTGRES_PORT = 5432


@dataclass(frozen=True, kw_only=True)
class PachdPorts:
    """The ports of one pachd."""

    api: int
    peer: int
    """For its own workers, which it asks for no token."""
    s3: int
    oidc: int
    http: int
    saml: int
    prometheus: int
    download: int


def _pachd_ports(first: int) -> PachdPorts:
    return PachdPorts(
        api=first + 50,
        peer=first + 53,
        s3=first,
        oidc=first + 57,
        http=first + 52,
        saml=first + 54,
        prometheus=first + 56,
        download=first + 59,
    )


PACHD_1, PACHD_2 = _pachd_ports(30600), _pachd_ports(31600)
WORKER_PORT = 8081
"""The port on which pachd expects each worker, at the worker's own address."""
KUBELET_PORT = 10250
"""The port on which the API server asks the node for logs, at the address of the test bed."""
KAFKA_PORT = 9092
KAFKA_CONTROLLER_PORT = 9093


def port_answers(port: int, address: str = LOOPBACK) -> bool:
    """Whether a server accepts connections on this port."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def http_ok(url: str) -> bool:
    """Whether an HTTP server answers this URL with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own server's address
            return bool(response.status == 200)  # noqa: PLR2004 - the HTTP status
    except (URLError, OSError):
        return False
