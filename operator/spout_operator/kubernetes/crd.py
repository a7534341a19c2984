"""Whether the CRD in the cluster knows what this operator reads and writes.

The package holds the CRD it was made with (`crd.yaml`, a link to `crds/`). Helm does not update CRDs by itself and
people forget to: the API server would then drop the fields it does not know from every Spout and every status, in
silence.
"""

import importlib.resources
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from spout_operator.kubernetes.errors import ClusterError
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION

NAME = f"{PLURAL}.{GROUP}"
UPDATE = (
    "update it: `kubectl apply --server-side -f` the crds/ of this operator's version, or `helm upgrade` with "
    "crds.install=true"
)
#: Fields that are named in a message; the rest is counted.
NAMED = 5

Schema = Mapping[str, Any]


def own() -> dict[str, Any]:
    """The CRD that this operator was made with."""
    text = importlib.resources.files(__package__).joinpath("crd.yaml").read_text(encoding="utf-8")
    # The C loader: 7 ms instead of 60 at every start.
    found: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    return found


def check(found: Mapping[str, Any]) -> None:
    """See that a CRD knows at least the fields of the operator's own.

    Args:
        found: the CustomResourceDefinition in the cluster.

    Raises:
        ClusterError: it does not; the message names the fields and says how to update it.
    """
    schema = _schema(found)
    if schema is None:
        raise ClusterError(f"the CRD {NAME} in the cluster does not serve {VERSION}; {UPDATE}")
    wanted = _schema(own()) or {}
    missing = list(_missing(wanted, schema, ""))
    if missing:
        named = ", ".join(missing[:NAMED])
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise ClusterError(
            f"the CRD {NAME} in the cluster is older than this operator: it lacks {named}{more}; {UPDATE}"
        )
    established = {condition["type"]: condition for condition in found.get("status", {}).get("conditions", ())}
    if established.get("Established", {}).get("status") != "True":
        said = established.get("NamesAccepted", {}).get("message") or "it is being installed"
        raise ClusterError(f"the CRD {NAME} is not established yet ({said}); the operator has to be started again then")


def _schema(crd: Mapping[str, Any]) -> Schema | None:
    for version in crd["spec"]["versions"]:
        if version["name"] == VERSION and version["served"]:
            schema: Schema = version["schema"]["openAPIV3Schema"]
            return schema
    return None


def _missing(wanted: Schema, found: Schema, path: str) -> Iterator[str]:
    """Paths of the fields that `wanted` has and `found` has not; below a missing field nothing is told."""
    if found.get("x-kubernetes-preserve-unknown-fields"):
        return
    for name, schema in wanted.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        if name in found.get("properties", {}):
            yield from _missing(schema, found["properties"][name], at)
        else:
            yield at
    for key, mark in (("items", "[]"), ("additionalProperties", ".*")):
        inner, other = wanted.get(key), found.get(key)
        if isinstance(inner, Mapping) and isinstance(other, Mapping):
            yield from _missing(inner, other, path + mark)
