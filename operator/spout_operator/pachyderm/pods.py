"""Parts of the Pods that pachd makes for its workers, as JSON; each function returns a new object."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spout_operator.core.model import Resources, SecretMount

Json = dict[str, Any]


class AnyText(str):
    """A text that the server's configuration decides: it equals every text."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


ANY = AnyText("decided-by-the-server")


def container(
    name: str,
    *,
    image: str,
    command: Sequence[str],
    mounts: Iterable[Json],
    resources: Json,
    env: Sequence[Json] = (),
) -> Json:
    """A container, without what is left out."""
    found: Json = {
        "name": name,
        "image": image,
        "command": list(command),
        "resources": resources,
        "volumeMounts": [dict(mount) for mount in mounts],
        "imagePullPolicy": ANY,
    }
    return {**found, "env": list(env)} if env else found


def resources(requests: Iterable[str], limits: Iterable[str]) -> Json:
    """The resources of a container, by their names alone: Kubernetes writes quantities in its own form."""
    found: Json = {"requests": dict.fromkeys(requests, ANY)}
    limited = dict.fromkeys(limits, ANY)
    return {**found, "limits": limited} if limited else found


def resource_names(resources: Resources) -> list[str]:
    """The names that Kubernetes has for what is asked for."""
    named = {"cpu": resources.cpu, "memory": resources.memory, "ephemeral-storage": resources.disk}
    return [*(name for name, amount in named.items() if amount), *([resources.gpu.type] if resources.gpu else [])]


def variable(name: str, value: str = ANY) -> Json:
    """A variable of a container."""
    return {"name": name, "value": value}


def field_variable(name: str, path: str) -> Json:
    """A variable that holds a field of the Pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def secret_variable(secret: SecretMount) -> Json:
    """A variable that holds a key of a Secret."""
    return {"name": secret.env_var, "valueFrom": {"secretKeyRef": {"name": secret.name, "key": secret.key}}}


def given_variables(env: Mapping[str, str]) -> list[Json]:
    """The variables of `transform.env`."""
    # Of several, pachd writes each ReplicationController in another order.
    return [variable(*pair) for pair in env.items()] if len(env) == 1 else [variable(ANY) for _ in env]


def secret_volume(name: str, secret: str) -> Json:
    """A volume with the files of a Secret."""
    return {"name": name, "secret": {"secretName": secret}}


def mount(name: str, path: str) -> Json:
    """A volume in a container."""
    return {"name": name, "mountPath": path}
