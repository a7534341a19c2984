"""How the suites call a method of a port: the one place that knows whether it blocks or is a coroutine."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def answer(method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a method of a port returns; what it raises is raised."""
    return method(*args, **kwargs)
