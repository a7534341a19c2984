"""Reads the text of a policy file, and says in which line and field it is wrong.

The form is that of docs/reference/policy.md.
"""

import re
from collections.abc import Callable, Iterator, Mapping

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from spout_operator.core.model import SERVICE_TYPES
from spout_operator.core.policy import Glob, Policy, Rule

#: The longest policy that is read, in bytes: some thousand rules. Reading one takes time that others need.
LONGEST = 256 * 1024

_OBJECT_NAME = re.compile(r"[-.a-z0-9*?]+"), "lower-case letters, digits, '-' and '.'"
_GLOBS = {
    "namespaces": _OBJECT_NAME,
    "secrets": _OBJECT_NAME,
    "pipelineNames": (re.compile(r"[-a-z0-9*?]+"), "lower-case letters, digits and '-'"),
    "projects": (re.compile(r"[-_A-Za-z0-9*?]+"), "letters, digits, '-' and '_'"),
}
"""The lists of names in a rule: what each name is made of, and how to say that."""
_TEXT, _BOOLEAN = "tag:yaml.org,2002:str", "tag:yaml.org,2002:bool"
_KINDS: Mapping[type[Node], str] = {MappingNode: "an object", SequenceNode: "a list"}


class PolicyError(Exception):
    """The text is no policy; the message says where, what was found, and what is expected."""


def read(text: str) -> Policy:
    """The policy in a text.

    Raises:
        PolicyError: it is none.
    """
    if len(text.encode()) > LONGEST:
        raise PolicyError(f"it is longer than {LONGEST // 1024} KiB; write fewer rules, with globs")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise PolicyError(f"{where}it is no YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise PolicyError(f"it is no YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise PolicyError("it is nested too deeply") from None
    if root is None:
        raise PolicyError("it is empty; write 'rules: []' to allow nothing")
    fields = _fields(root, "the policy", {"rules"})
    if "rules" not in fields:
        raise PolicyError(f"line {_line(root)}: rules: missing; write 'rules: []' to allow nothing")
    rules = _items(fields["rules"], "rules", "a rule")
    return Policy(tuple(_rule(rule, f"rules[{index}]") for index, rule in enumerate(rules)))


def _rule(node: Node, path: str) -> Rule:
    fields = _fields(node, path, {*_GLOBS, "serviceTypes", "podPatch"})
    globs = {name: tuple(_globs(fields[name], path, name)) for name in _GLOBS if name in fields}
    if not globs.get("namespaces"):
        raise PolicyError(
            f"line {_line(fields.get('namespaces', node))}: {path}.namespaces: a rule without a namespace is for no "
            "Spout; name at least one, or '*' for all"
        )
    if "projects" in globs and "pipelineNames" not in globs:
        raise PolicyError(
            f"line {_line(fields['projects'])}: {path}.projects: has no effect without pipelineNames; add "
            "pipelineNames: ['*'] for all pipelines of these projects"
        )
    given = {"projects": globs["projects"]} if "projects" in globs else {}
    return Rule(
        namespaces=globs["namespaces"],
        secrets=globs.get("secrets", ()),
        pipeline_names=globs.get("pipelineNames", ()),
        service_types=tuple(_service_types(fields["serviceTypes"], f"{path}.serviceTypes"))
        if "serviceTypes" in fields
        else (),
        pod_patch=_flag(fields["podPatch"], f"{path}.podPatch") if "podPatch" in fields else False,
        **given,
    )


def _fields(node: Node, path: str, known: set[str]) -> dict[str, Node]:
    _expect(node, MappingNode, path, "an object")
    fields: dict[str, Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, ScalarNode) else "?"
        if name not in known:
            raise PolicyError(
                f"line {_line(key)}: {path}: found the field {name!r:.60}, expected {', '.join(sorted(known))}"
            )
        if name in fields:
            raise PolicyError(f"line {_line(key)}: {path}.{name}: is there twice; remove one")
        fields[name] = value
    return fields


def _items(node: Node, path: str, what: str) -> list[Node]:
    _expect(node, SequenceNode, path, f"a list, each item {what}")
    items: list[Node] = node.value
    return items


def _globs(node: Node, path: str, name: str) -> Iterator[Glob]:
    allowed, characters = _GLOBS[name]
    expected = f"a name, in which '*' and '?' stand for characters, of {characters}"
    for text in _texts(node, f"{path}.{name}", expected, lambda text: allowed.fullmatch(text) is not None):
        yield Glob(text)


def _service_types(node: Node, path: str) -> Iterator[str]:
    return _texts(node, path, f"one of {', '.join(SERVICE_TYPES)}", lambda text: text in SERVICE_TYPES)


def _texts(node: Node, path: str, expected: str, is_right: Callable[[str], bool]) -> Iterator[str]:
    for index, item in enumerate(_items(node, path, expected)):
        where = f"{path}[{index}]"
        _expect(item, ScalarNode, where, expected)
        if item.tag != _TEXT:
            raise PolicyError(f"line {_line(item)}: {where}: {item.value!r:.60} is no text in YAML; put it in quotes")
        if not is_right(item.value):
            raise PolicyError(f"line {_line(item)}: {where}: found {item.value!r:.60}, expected {expected}")
        yield item.value


def _flag(node: Node, path: str) -> bool:
    _expect(node, ScalarNode, path, "true or false")
    if node.tag != _BOOLEAN or node.value not in ("true", "false"):
        raise PolicyError(f"line {_line(node)}: {path}: found {node.value!r:.60}, expected true or false")
    return bool(node.value == "true")


def _expect(node: Node, kind: type[Node], path: str, expected: str) -> None:
    if not isinstance(node, kind):
        found = _KINDS.get(type(node), f"{node.value!r:.60}" if isinstance(node, ScalarNode) else "something else")
        raise PolicyError(f"line {_line(node)}: {path}: found {found}, expected {expected}")


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
