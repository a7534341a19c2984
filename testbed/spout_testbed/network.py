"""The addresses of a bed. They are fixed: each bed has a network of its own, where nothing can clash."""

import socket
import urllib.request
from urllib.error import URLError

LOOPBACK = "127.0.0.1"
BED_ADDRESS = "192.0.2.1"
"""An address that is not a loopback one (RFC 5737): pachd 1.13 refuses to start on a machine without."""

ETCD_PORT = 2379
ETCD_PEER_PORT = 2380
APISERVER_PORT = 443
"""pachd's way to an apiserver without credentials has this port built in."""
PACHD_PORT = 30650
PACHD_PEER_PORT = 30653
PACHD_HTTP_PORT = 30652
PACHD_S3_PORT = 30600
PACHD_SAML_PORT = 30654
PACHD_OIDC_PORT = 30657
WORKER_PORT = 8081
"""The port at which pachd looks for each worker, on that worker's own address."""
KAFKA_PORT = 9092
KAFKA_CONTROLLER_PORT = 9093


def port_answers(port: int, address: str = LOOPBACK) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def http_ok(url: str) -> bool:
    """Whether a plain HTTP address answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own server's address
            return bool(response.status == 200)  # noqa: PLR2004 - the HTTP status
    except (URLError, OSError):
        return False
