"""What a hostile spec asks for, and the beginnings of what it is told."""

import json
from collections.abc import Mapping
from typing import Any

Changes = Mapping[str, object]


def mount(*names: object) -> Changes:
    """Secrets as files."""
    places = ["/stolen", "/more"]
    return {
        "transform.secrets": [{"name": name, "mountPath": place} for name, place in zip(names, places, strict=False)]
    }


def variable(name: str) -> Changes:
    """A Secret as a variable."""
    return {"transform.secrets": [{"name": name, "key": "password", "envVar": "STOLEN"}]}


def pull(*names: object) -> Changes:
    """Secrets to pull the image with."""
    return {"transform.imagePullSecrets": list(names)}


def patch(*operations: Mapping[str, object]) -> Changes:
    """A podPatch of these operations."""
    return {"podPatch": json.dumps(operations)}


def add(path: str, value: object) -> dict[str, object]:
    """One operation that adds."""
    return {"op": "add", "path": path, "value": value}


def add_volume(**source: Any) -> Changes:
    """A podPatch with a volume of this source, which the code sees at /stolen."""
    volume = {"name": "stolen", **source}
    seen = {"name": "stolen", "mountPath": "/stolen"}
    return patch(add("/volumes/-", volume), add("/containers/0/volumeMounts/-", seen))


def refused_secret(name: str, index: int = 0) -> str:
    """The beginning of the message that a Secret is not allowed."""
    return f"spec.transform.secrets[{index}].name: the policy does not allow the Secret {name!r}"


def refused_name(name: str) -> str:
    """The beginning of the message that the name of the pipeline is not allowed."""
    return f"spec.name: the policy does not allow the pipeline name {name!r}"


def service(**fields: object) -> Changes:
    """A spout with a port."""
    return {"spout.service": {"internalPort": 8080, **fields}}
