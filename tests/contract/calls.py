"""How the suites call a method of a port: the one place that knows that it is a coroutine."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def answer(method: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a method of a port returns; what it raises is raised."""
    return asyncio.run(method(*args, **kwargs))
