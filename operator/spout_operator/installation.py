"""What `spout-operator check` does: an installation, seen from outside."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from spout_operator.config import CommandError, ConfigError
from spout_operator.core.errors import Retryable
from spout_operator.kubernetes import access
from spout_operator.kubernetes.api import Answer, Api, ApiError
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION
from spout_operator.telemetry.metrics import PREFIX, Metrics


class InstallationError(CommandError):
    """An installed operator does not work."""


#: Seconds for one answer of the operator, and between two tries.
DEADLINE, PAUSE = 5.0, 1.0
#: The smallest Spout there is.
SPOUT = {
    "apiVersion": f"{GROUP}/{VERSION}",
    "kind": "Spout",
    "metadata": {"generateName": "check-"},
    "spec": {"transform": {"image": "example/spout:1", "cmd": ["spout"]}, "spout": {"marker": "offset"}},
}


def check(url: str, namespace: str | None, *, patience: float) -> Iterator[str]:
    """Check an operator, and try a Spout; nothing is stored.

    Args:
        url: of the operator's HTTP port, without a path.
        namespace: where the Spout is tried; None for no try.
        patience: seconds for the operator to become ready, and to be answered by Pachyderm.

    Yields:
        What was seen, line by line.

    Raises:
        InstallationError: the operator is not ready, Pachyderm does not answer it, or the API server refuses the
            Spout.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"found the URL {url!r}; expected http://HOST:PORT")
    yield from _seen(url.rstrip("/"), until=time.monotonic() + patience)
    if namespace is not None:
        yield _dry_run(namespace)


def _seen(url: str, *, until: float) -> list[str]:
    while True:
        try:
            return [*_readiness(url), *_pachyderm(url)]
        except InstallationError:
            # Right after an installation the Pod may still start.
            if time.monotonic() + PAUSE > until:
                raise
            time.sleep(PAUSE)


def _readiness(url: str) -> Iterator[str]:
    answer = _ask(f"{url}/readyz")
    yield f"the operator is ready: {url}/readyz"
    yield from answer.splitlines()


def _pachyderm(url: str) -> Iterator[str]:
    """A replica that waits for the Lease asks no Pachyderm, and so says nothing of it."""
    families = text_string_to_metric_families(_ask(f"{url}/metrics"))
    found = {sample.name: sample.value for family in families for sample in family.samples if not sample.labels}
    if not found.get(f"{PREFIX}_leader"):
        yield "this replica does not lead, and asks no Pachyderm"
        return
    is_up = found.get(f"{PREFIX}_pachyderm_up")
    if is_up is None:
        raise InstallationError("the operator is ready, and Pachyderm has not answered it yet; its log says more")
    if not is_up:
        raise InstallationError("the operator is ready, but Pachyderm does not answer it; its log says why")
    yield "Pachyderm answers the operator"


def _dry_run(namespace: str) -> str:
    api = Api(access.connect(), telemetry=Metrics())
    path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"
    try:
        dry_run = {"dryRun": "All"}
        made: Answer = api.request("create", path, doing="try a Spout", resource=PLURAL, query=dry_run, body=SPOUT)
    except ApiError as error:
        raise InstallationError(f"{error.message}: {error.body.strip()}") from error
    except Retryable as error:
        raise InstallationError(error.message) from error
    return f"the API server takes Spouts: {made['metadata']['namespace']}/{made['metadata']['name']} (dry run)"


def _ask(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:  # noqa: S310 - `check` has checked the scheme
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        raise InstallationError(f"the operator is not ready: {url} says\n{error.read().decode()}") from error
    except OSError as error:
        raise InstallationError(f"the operator does not answer at {url}: {error}") from error
