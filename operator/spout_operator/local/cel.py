"""Evaluates the CEL expressions of the Spout CRD: the part of the language that they use, and nothing else.

An expression that uses anything else raises `NotSupported`; a test evaluates every rule of the CRD.
"""

import functools
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from spout_operator.core.spec import duration
from spout_operator.core.spec.quantity import Quantity

Scope = Mapping[str, Any]
Node = Callable[[Scope], Any]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>\d+)|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<sign>&&|\|\||==|!=|<=|>=|[-+!<>?:.,()\[\]]))"""
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "in": lambda a, b: a in b,
}


class NotSupported(Exception):  # noqa: N818 - named as what it says
    """The expression uses a part of CEL that this does not know."""


def _quantity(text: str) -> Decimal:
    return Quantity.parse(text).value


def _is_quantity(text: str) -> bool:
    try:
        _quantity(text)
    except ValueError:
        return False
    return True


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "size": len,
    "string": str,
    "quantity": _quantity,
    "isQuantity": _is_quantity,
    "duration": duration.parse,
}
_METHODS: dict[str, Callable[..., Any]] = {
    "size": len,
    "matches": lambda text, pattern: re.search(_python(pattern), text) is not None,
    "contains": lambda text, part: part in text,
    "startsWith": lambda text, part: text.startswith(part),
    "endsWith": lambda text, part: text.endswith(part),
    "replace": lambda text, old, new: text.replace(old, new),
    "trim": lambda text: text.strip(),
    "substring": lambda text, start, end: text[start:end],
    "lowerAscii": lambda text: re.sub("[A-Z]+", lambda found: found[0].lower(), text),
    "isLessThan": lambda a, b: a < b,
    "isGreaterThan": lambda a, b: a > b,
    "compareTo": lambda a, b: (a > b) - (a < b),
}
_MACROS: dict[str, Callable[[Any, Callable[[Any], bool]], Any]] = {
    "all": lambda items, holds: all(holds(item) for item in items),
    "exists": lambda items, holds: any(holds(item) for item in items),
    "exists_one": lambda items, holds: sum(1 for item in items if holds(item)) == 1,
    "filter": lambda items, holds: [item for item in items if holds(item)],
}


def evaluate(expression: str, **scope: object) -> Any:  # noqa: ANN401 - any value of CEL
    """The value of an expression, with these names known.

    Raises:
        NotSupported: see above.
    """
    return parse(expression)(scope)


@functools.cache
def parse(expression: str) -> Node:
    """The expression as a function of the names that it uses. Raises as `evaluate` does."""
    parser = _Parser(expression)
    node = parser.ternary()
    if parser.next:
        raise NotSupported(f"{parser.next!r} in {expression!r}")
    return node


def _python(pattern: str) -> str:
    # `$` of RE2 is the end of the text; that of Python is also before a last line feed.
    return re.sub(r"(?<!\\)\$$", r"\\Z", re.sub(r"(?<!\\)\$(?=[|)])", r"\\Z", pattern))


class _Parser:
    """A parser by precedence, which makes a function of each part."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens: list[str] = []
        at = 0
        expression = expression.rstrip()
        while at < len(expression):
            found = _TOKEN.match(expression, at)
            if not found:
                raise NotSupported(f"{expression[at : at + 20]!r} in {expression!r}")
            self._tokens.append(found[found.lastgroup or 0])
            at = found.end()

    @property
    def next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def ternary(self) -> Node:
        question = self._either()
        if not self._take("?"):
            return question
        yes = self.ternary()
        self._expect(":")
        no = self.ternary()
        return lambda scope: yes(scope) if question(scope) else no(scope)

    def _either(self) -> Node:
        left = self._both()
        while self._take("||"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Node:
        left = self._relation()
        while self._take("&&"):
            left = _and(left, self._relation())
        return left

    def _relation(self) -> Node:
        left = self._sum()
        while self.next in _COMPARE:
            compare, right = _COMPARE[self._pop()], self._sum()
            left = _binary(compare, left, right)
        return left

    def _sum(self) -> Node:
        left = self._unary()
        while self._take("+"):
            left = _binary(lambda a, b: a + b, left, self._unary())
        return left

    def _unary(self) -> Node:
        if self._take("!"):
            operand = self._unary()
            return lambda scope: not operand(scope)
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        while self.next in {".", "["}:
            if self._pop() == "[":
                index = self.ternary()
                self._expect("]")
                node = _binary(lambda a, b: a[b], node, index)
            else:
                node = self._dotted(node, self._pop())
        return node

    def _dotted(self, node: Node, name: str) -> Node:
        if not self._take("("):
            return lambda scope: node(scope)[name]
        if name in _MACROS:
            variable = self._pop()
            self._expect(",")
            body, macro = self.ternary(), _MACROS[name]
            self._expect(")")
            return lambda scope: macro(node(scope), lambda item: body({**scope, variable: item}))
        return self._call(_METHODS, name, [node])

    def _primary(self) -> Node:
        part = self._pop()
        if part == "(":
            node = self.ternary()
            self._expect(")")
            return node
        if part == "[":
            items = self._list("]")
            return lambda scope: [item(scope) for item in items]
        if part[0] in "'\"":
            text = re.sub(r"\\(.)", r"\1", part[1:-1])
            return lambda _: text
        if part.isdigit():
            return lambda _: int(part)
        if part in {"true", "false"}:
            return lambda _: part == "true"
        if not self._take("("):
            return lambda scope: scope[part]
        if part == "has":
            return self._has()
        return self._call(_FUNCTIONS, part, [])

    def _has(self) -> Node:
        """has(a.b.c): whether the last field is there; the ones before it have to be."""
        node = self._primary()
        name = ""
        while self._take("."):
            node = node if not name else self._field(node, name)
            name = self._pop()
        self._expect(")")
        return lambda scope: name in node(scope)

    @staticmethod
    def _field(node: Node, name: str) -> Node:
        return lambda scope: node(scope)[name]

    def _call(self, known: Mapping[str, Callable[..., Any]], name: str, before: list[Node]) -> Node:
        if name not in known:
            raise NotSupported(f"{name}() in {self._expression!r}")
        function, arguments = known[name], before + self._list(")")
        return lambda scope: function(*(argument(scope) for argument in arguments))

    def _list(self, end: str) -> list[Node]:
        items: list[Node] = []
        while not self._take(end):
            items.append(self.ternary())
            if self.next != end:
                self._expect(",")
        return items

    def _take(self, part: str) -> bool:
        if self.next == part:
            self._pop()
            return True
        return False

    def _expect(self, part: str) -> None:
        if not self._take(part):
            raise NotSupported(f"{self.next!r} instead of {part!r} in {self._expression!r}")

    def _pop(self) -> str:
        if not self._tokens:
            raise NotSupported(f"the end of {self._expression!r}")
        return self._tokens.pop(0)


def _or(left: Node, right: Node) -> Node:
    return lambda scope: left(scope) or right(scope)


def _and(left: Node, right: Node) -> Node:
    return lambda scope: left(scope) and right(scope)


def _binary(operate: Callable[[Any, Any], Any], left: Node, right: Node) -> Node:
    return lambda scope: operate(left(scope), right(scope))
