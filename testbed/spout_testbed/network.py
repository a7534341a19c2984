"""The addresses in a test bed. They are fixed, because each test bed has its own network without other servers."""

import socket
import urllib.request
from urllib.error import URLError

LOOPBACK = "127.0.0.1"
BED_ADDRESS = "192.0.2.1"
"""An address (RFC 5737) that is not a loopback address. pachd 1.13 does not start on a machine without one."""

ETCD_PORT = 2379
ETCD_PEER_PORT = 2380
APISERVER_PORT = 443
"""Without credentials, pachd always uses this port of the API server."""
PACHD_PORT = 30650
PACHD_PEER_PORT = 30653
PACHD_HTTP_PORT = 30652
PACHD_S3_PORT = 30600
PACHD_SAML_PORT = 30654
PACHD_OIDC_PORT = 30657
WORKER_PORT = 8081
"""The port on which pachd expects each worker, at the worker's own address."""
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
