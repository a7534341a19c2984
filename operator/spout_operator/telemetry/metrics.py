"""The port `Telemetry` as Prometheus metrics, and spans where traces are configured.

Names follow Prometheus' conventions; docs/reference/metrics.md lists them all.
"""

import importlib.metadata
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from spout_operator import __version__
from spout_operator.core.model import SpoutKey
from spout_operator.core.policy import Permission
from spout_operator.ports import Dropped, Outcome, System
from spout_operator.telemetry.tracing import Tracer, no_tracer

PREFIX = "spout_operator"
#: Seconds: a request is answered in milliseconds, and bounded by its deadline of 15 s.
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)
#: Seconds: several requests, and the wait for a thread.
RECONCILE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """See `spout_operator.ports.Telemetry` for the contract. One registry per operator, none is global."""

    def __init__(self, *, tracer: Tracer = no_tracer) -> None:
        # A series more for each of ours, of a time that process_start_time_seconds tells as well.
        disable_created_metrics()  # type: ignore[no-untyped-call] # as the client has it
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._tracer = tracer
        Info("spout_operator_build", "The operator that runs.", registry=self.registry).info(
            {"version": __version__, "python": platform.python_version(), "kopf": importlib.metadata.version("kopf")}
        )
        self.leader = Gauge(f"{PREFIX}_leader", "1 if this replica leads, 0 if it waits.", registry=self.registry)
        self._reconciles = self._counter("reconciles", "Reconciles of a Spout, by their result.", "result")
        self._errors = self._counter(
            "reconcile_errors", "Reconciles of a Spout that ended in an error, by its reason.", "reason"
        )
        self._duration = Histogram(
            f"{PREFIX}_reconcile_duration_seconds",
            "How long a reconcile of a Spout took.",
            buckets=RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._waits = self._histogram(
            "queue_wait_seconds", "How long a Spout that was due waited for a worker.", RECONCILE_BUCKETS, "queue"
        )
        self._dropped_events = self._counter("events_dropped", "Kubernetes Events that were not written.", "cause")
        for cause in Dropped:
            # A series from the start: an increase from nothing is none.
            self._dropped_events.labels(cause)
        self._denials = self._counter(
            "policy_denials", "Generations of a Spout that the policy refuses, by what it does not allow.", "permission"
        )
        for permission in Permission:
            self._denials.labels(permission)
        requests, durations = "Requests to {}, by how they ended.", "How long {} took to answer."
        self._requests = {
            "pachyderm": self._counter("pachyderm_requests", requests.format("pachd"), "method", "code"),
            "kubernetes": self._counter(
                "kubernetes_requests", requests.format("the API server"), "verb", "resource", "code"
            ),
        }
        self._durations = {
            "pachyderm": self._histogram(
                "pachyderm_request_duration_seconds", durations.format("pachd"), REQUEST_BUCKETS, "method"
            ),
            "kubernetes": self._histogram(
                "kubernetes_request_duration_seconds",
                durations.format("the API server"),
                REQUEST_BUCKETS,
                "verb",
                "resource",
            ),
        }

    @contextmanager
    def reconciling(self, key: SpoutKey) -> Iterator[Outcome]:
        """Count one reconcile, and have its requests be parts of its trace."""
        outcome, begun = Outcome(), time.perf_counter()
        with self._tracer.span("reconcile", {"k8s.namespace.name": key.namespace, "spout.name": key.name}) as span:
            try:
                yield outcome
            finally:
                self._duration.observe(time.perf_counter() - begun)
                self._reconciles.labels(outcome.result).inc()
                span.set_attribute("spout_operator.result", str(outcome.result))
                if outcome.reason is not None:
                    self._errors.labels(outcome.reason).inc()
                    span.set_attribute("error.type", str(outcome.reason))

    def requesting(self, system: System, method: str, resource: str = "") -> Callable[[str], None]:
        """Count one request when it has ended."""
        begun = time.perf_counter()
        labels = (method, resource) if system == "kubernetes" else (method,)
        span = self._tracer.start(f"{system} {' '.join(labels)}")

        def ended(code: str) -> None:
            self._durations[system].labels(*labels).observe(time.perf_counter() - begun)
            self._requests[system].labels(*labels, code).inc()
            span.set_attribute("spout_operator.code", code)
            span.end()

        return ended

    def waited(self, queue: str, seconds: float) -> None:
        """Note how long a key waited."""
        self._waits.labels(queue).observe(seconds)

    def dropped_event(self, why: Dropped) -> None:
        """Count an Event that is lost."""
        self._dropped_events.labels(why).inc()

    def tell_policy_file(self, is_valid: Callable[[], bool]) -> None:
        """Show whether the policy file can be used, for an operator that has one."""
        text = "1 if the policy file can be used, 0 if the last good policy stays in force."
        Gauge(f"{PREFIX}_policy_file_valid", text, registry=self.registry).set_function(lambda: float(is_valid()))

    def denied(self, permission: Permission) -> None:
        """Count what the policy refused."""
        self._denials.labels(permission).inc()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", text, labels, buckets=buckets, registry=self.registry)
