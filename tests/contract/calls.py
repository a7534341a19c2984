"""How the suites call a method of a port: the one place that knows that it is a coroutine."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def answer(method: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a method of a port returns; what it raises is raised."""
    return asyncio.run(method(*args, **kwargs))


class Synchronous:
    """A port whose methods return when they are done, so that a test reads as a script."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return functools.partial(answer, getattr(self._port, name))
