"""argocd-cm.yaml: `make generate` writes it, of the Lua files."""

from collections.abc import Mapping
from pathlib import Path

import yaml

HERE = Path(__file__).parent
LUA = HERE / "resource_customizations" / "spout-operator.io" / "Spout"
HEADER = """\
# Made by `make generate`: the health check and the actions, for the ConfigMap that Argo CD reads.
# kubectl -n argocd patch configmap argocd-cm --patch-file deploy/argocd/argocd-cm.yaml
"""


class _Text(str):
    """Text that YAML writes as a block, which people can read."""

    __slots__ = ()


def _block(dumper: yaml.SafeDumper, text: _Text) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


yaml.SafeDumper.add_representer(_Text, _block)


def patch() -> str:
    """Returns the patch of the ConfigMap argocd-cm."""
    actions = [
        {"name": file.parent.name, "action.lua": _Text(file.read_text(encoding="utf-8"))}
        for file in sorted(LUA.glob("actions/*/action.lua"))
    ]
    discovery = _Text((LUA / "actions" / "discovery.lua").read_text(encoding="utf-8"))
    text = yaml.safe_dump({"discovery.lua": discovery, "definitions": actions}, sort_keys=False, width=120)
    data = {
        "resource.customizations.health.spout-operator.io_Spout": _Text(
            (LUA / "health.lua").read_text(encoding="utf-8")
        ),
        "resource.customizations.actions.spout-operator.io_Spout": _Text(text),
    }
    return HEADER + yaml.safe_dump({"data": data}, sort_keys=False, width=120)


def files() -> Mapping[Path, str]:
    """The patch, in its file."""
    return {HERE / "argocd-cm.yaml": patch()}
