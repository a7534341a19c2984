"""Logging: one line per event, for a person or for a collector."""

import logging
import sys
import time
from collections.abc import Callable

from pythonjsonlogger.json import JsonFormatter

from spout_operator import __version__
from spout_operator.core.redaction import Secrets

FORMATS = ("text", "json")
#: The names of the Elastic Common Schema, which OpenTelemetry's conventions have taken over.
ECS_VERSION = "8.11.0"
_OWN = "spout_operator"


class EcsFormatter(JsonFormatter):
    """JSON with the keys of the Elastic Common Schema; what a line says of itself is added under its own key."""

    # Every collector compares times, and none knows this machine's time zone.
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={
                "asctime": "@timestamp",
                "levelname": "log.level",
                "name": "log.logger",
                "exc_info": "error.stack_trace",
            },
            static_fields={
                "ecs.version": ECS_VERSION,
                "service.name": "spout-operator",
                "service.version": __version__,
            },
            rename_fields_keep_missing=False,
        )


class Redaction(logging.Filter):
    """Takes secrets out of what the operator does not word itself: stack traces, and what libraries say."""

    def __init__(self, secrets: Callable[[], Secrets]) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Have the record say the same without them."""
        if record.exc_info or not record.name.startswith(f"{_OWN}."):
            secrets = self._secrets()
            record.msg, record.args = secrets.redact(record.getMessage()), None
            if record.exc_info:
                # What a formatter would make of it, and takes where it is there already.
                trace = logging.Formatter().formatException(record.exc_info)
                record.exc_info, record.exc_text = None, secrets.redact(trace)
        return True


def formatter(log_format: str) -> logging.Formatter:
    """One of `FORMATS`."""
    return EcsFormatter() if log_format == "json" else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")


def keep_out(secrets: Callable[[], Secrets]) -> None:
    """Have no log line hold one of these; asked for at each line that could."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(Redaction(secrets))


def configure(log_format: str, level: str) -> None:
    """Send all logs to standard error, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # kopf tells of each event, and of each try of a request that fails: kubernetes/watch_health.py tells that once.
    logging.getLogger("kopf").setLevel(logging.CRITICAL)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
