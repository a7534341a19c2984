"""What `spout-operator check` does: an installation, seen from outside."""

import urllib.error
import urllib.request
from collections.abc import Iterator

from spout_operator.config import ConfigError
from spout_operator.core.errors import Retryable
from spout_operator.kubernetes import access
from spout_operator.kubernetes.api import Api, ApiError
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION
from spout_operator.telemetry.metrics import Metrics

#: Seconds for the operator to answer.
DEADLINE = 10
#: The smallest Spout there is.
SPOUT = {
    "apiVersion": f"{GROUP}/{VERSION}",
    "kind": "Spout",
    "metadata": {"generateName": "check-"},
    "spec": {"transform": {"image": "example/spout:1", "cmd": ["spout"]}, "spout": {"marker": "offset"}},
}


def check(url: str, namespace: str) -> Iterator[str]:
    """Look at an operator and try a Spout; nothing is stored.

    Args:
        url: of the operator's HTTP port, without a path.
        namespace: where the Spout is tried.

    Yields:
        What was seen, line by line.

    Raises:
        ConfigError: the operator is not ready, or the API server does not take the Spout.
    """
    yield from _readiness(f"{url.rstrip('/')}/readyz")
    api = Api(access.connect(), telemetry=Metrics())
    path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"
    try:
        made = api.request("create", path, doing="try a Spout", resource=PLURAL, query={"dryRun": "All"}, body=SPOUT)
    except ApiError as error:
        raise ConfigError(f"{error.message}: {error.body.strip()}") from error
    except Retryable as error:
        raise ConfigError(error.message) from error
    yield f"the API server takes Spouts: {made['metadata']['namespace']}/{made['metadata']['name']} (dry run)"


def _readiness(url: str) -> Iterator[str]:
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"found the URL {url!r}; expected http://HOST:PORT")
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:  # noqa: S310 - the scheme was looked at
            yield f"the operator is ready: {url}"
            yield from answer.read().decode().splitlines()
    except urllib.error.HTTPError as error:
        raise ConfigError(f"the operator is not ready: {url} says\n{error.read().decode()}") from error
    except OSError as error:
        raise ConfigError(f"the operator does not answer at {url}: {error}") from error
