"""Every call passes through here: it is counted, fails or waits as a test asks, and is answered alone."""

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from tests.memory_pachd.store import Refusal

Fault = tuple[grpc.StatusCode, str]


class Calls(Counter[str]):
    """How often each method was called."""

    def reset(self) -> None:
        """Set all counts to zero."""
        self.clear()


class Gate(grpc.ServerInterceptor):  # type: ignore[misc] # gRPC publishes no types
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.calls = Calls()
        self.metadata: dict[str, str] = {}
        self._faults: defaultdict[str, list[Fault | None]] = defaultdict(list)
        self._hanging: set[str] = set()
        self._late: set[str] = set()
        self._waiting: defaultdict[str, list[threading.Event]] = defaultdict(list)

    def fail(self, method: str, fault: Fault, times: int, after: int) -> None:
        with self.lock:
            self._faults[method] += [*[None] * after, *[fault] * times]

    def hang(self, method: str) -> None:
        with self.lock:
            self._hanging.add(method)

    def answer_late(self, method: str) -> None:
        with self.lock:
            self._late.add(method)

    def release(self, method: str) -> None:
        with self.lock:
            self._hanging.discard(method)
            for call in self._waiting.pop(method, []):
                call.set()

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        handler = continuation(details)
        if handler is None or handler.request_streaming:
            return handler
        method = details.method.rpartition("/")[2]
        sent = dict(details.invocation_metadata)
        codec = (handler.request_deserializer, handler.response_serializer)
        if handler.response_streaming:
            behaviour = self._guarded(method, sent, lambda *call: _begun(handler.unary_stream(*call)))
            return grpc.unary_stream_rpc_method_handler(behaviour, *codec)
        return grpc.unary_unary_rpc_method_handler(self._guarded(method, sent, handler.unary_unary), *codec)

    def _guarded(
        self, method: str, sent: dict[str, str], behaviour: Callable[[Any, Any], Any]
    ) -> Callable[[Any, Any], Any]:
        def answer(request: Any, context: Any) -> Any:
            with self.lock:
                self.calls[method] += 1
                self.metadata = sent
                fault = self._faults[method].pop(0) if self._faults[method] else None
                hangs, is_late = method in self._hanging, method in self._late
                self._late.discard(method)
            if hangs:
                self._wait(method, context)
            if fault is not None:
                context.abort(*fault)
            with self.lock:
                try:
                    found = behaviour(request, context)
                except Refusal as refusal:
                    context.abort(refusal.code, str(refusal))
                    raise
            if is_late:
                self._wait(method, context)
            return found

        return answer

    def _wait(self, method: str, context: Any) -> None:
        """Wait until the method is released, or the caller gives up."""
        let_go = threading.Event()
        with self.lock:
            self._waiting[method].append(let_go)
        if context.add_callback(let_go.set):
            let_go.wait()


def _begun(stream: Iterator[Any]) -> Iterator[Any]:
    """A stream whose first message is made at once, so that a refusal ends the call, and the others on demand."""
    return itertools.chain(list(itertools.islice(stream, 1)), stream)
