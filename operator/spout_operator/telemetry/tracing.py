"""Traces by OpenTelemetry, where its own environment variables configure an endpoint; else nothing of it is loaded.

Spans go out as OTLP over HTTP in JSON: the exporters that speak protobuf need a newer one than python-pachyderm 6
works with (docs/decisions/0007-protobuf-3.20.3.md).
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from spout_operator import __version__

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "spout-operator"


class Span(Protocol):
    """The part of OpenTelemetry's span that is used."""

    def set_attribute(self, key: str, value: str) -> None:
        """Say something about it."""

    def end(self) -> None:
        """It is over."""


class Tracer(Protocol):
    """Begins spans."""

    def span(self, name: str, attributes: Mapping[str, str]) -> AbstractContextManager[Span]:
        """A span around what runs in the context; spans that begin inside are its children."""

    def start(self, name: str) -> Span:
        """A request that goes out, as a child of the span around it; it has to be ended."""


class _NoSpan:
    def set_attribute(self, key: str, value: str) -> None:
        pass

    def end(self) -> None:
        pass


class _NoTracer:
    _span = _NoSpan()

    @contextlib.contextmanager
    def span(self, name: str, attributes: Mapping[str, str]) -> Iterator[Span]:  # noqa: ARG002 - the protocol's
        yield self._span

    def start(self, name: str) -> Span:  # noqa: ARG002 - the protocol's
        return self._span


no_tracer: Tracer = _NoTracer()


def configure() -> tuple[Tracer, Callable[[], None]]:
    """The tracer that the environment asks for, and what sends the last spans at the end."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return no_tracer, lambda: None
    # Here and not above: 30 MB and half a second that most installations have no use for.
    from opentelemetry import trace  # noqa: PLC0415 - see above
    from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - see above
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - see above

    resource = Resource.create({"service.name": SERVICE, "service.version": __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer(SERVICE, __version__)

    class OpenTelemetryTracer:
        @contextlib.contextmanager
        def span(self, name: str, attributes: Mapping[str, str]) -> Iterator[Span]:
            # The message of an exception, which would be an event of the span, can quote a secret.
            with tracer.start_as_current_span(
                name, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
            ) as span:
                yield span

        def start(self, name: str) -> Span:
            return tracer.start_span(name, kind=trace.SpanKind.CLIENT)

    class WithTrace(logging.Filter):
        """Has each log line name the trace that it belongs to."""

        def filter(self, record: logging.LogRecord) -> bool:
            context = trace.get_current_span().get_span_context()
            if context.is_valid:
                record.__dict__["trace.id"] = trace.format_trace_id(context.trace_id)
                record.__dict__["span.id"] = trace.format_span_id(context.span_id)
            return True

    for handler in logging.getLogger().handlers:
        handler.addFilter(WithTrace())
    return OpenTelemetryTracer(), provider.shutdown
