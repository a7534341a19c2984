"""A manifest as YAML that kubectl reads as it was meant, with its comments.

kubectl reads YAML 1.1, in its own way: an unquoted `N` is a boolean for it, and `1e3` a number. So a text stands
without quotes only if it looks like nothing else to any reader.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from spout_operator.importing.manifests import Manifest, Path

_PLAIN = re.compile(r"(?:[A-Za-z/]|\./)(?:[\w./@+=-]|:(?=\w)| (?=[\w./@+=-]))*", re.ASCII)
#: What one reader or another takes for a boolean or for null, in lower case.
_WORDS = frozenset(("false", "n", "no", "null", "off", "on", "true", "y", "yes"))


class _Dumper(yaml.SafeDumper):
    """Safe, with quotes where there can be a doubt, and without aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    quotes = "'" if '"' in text and text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else quotes)


_Dumper.add_representer(str, _represent_text)


def to_yaml(manifest: Manifest) -> str:
    """One document of YAML, ending with a line end."""
    return "\n".join(_object(manifest.body, (), manifest)) + "\n"


def _object(found: Mapping[str, Any], at: Path, manifest: Manifest) -> Iterator[str]:
    for comment in manifest.comments.get(at, ()):
        yield f"# {comment}"
    for key, value in found.items():
        if isinstance(value, Mapping) and value:
            *first, last = _field({key: None})
            yield from (*first, last.removesuffix(" null"))
            yield from (f"  {line}" for line in _object(value, (*at, key), manifest))
        else:
            yield from _field({key: value})


def _field(field: Mapping[str, Any]) -> list[str]:
    text: str = yaml.dump(
        field, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=False, width=float("inf")
    )
    return text.rstrip("\n").split("\n")
