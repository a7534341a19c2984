"""Calls the coroutines of a port one after the other, so that a test reads as a script."""

import asyncio
from collections.abc import Callable
from typing import Any


class Synchronous:
    """A port whose methods return when they are done."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - whatever the method returns
            return asyncio.run(method(*args, **kwargs))

        return call
