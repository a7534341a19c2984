"""Logging: one line per event, for a person or for a collector."""

import logging
import sys
import time

from pythonjsonlogger.json import JsonFormatter

from spout_operator import __version__

FORMATS = ("text", "json")
#: The names of the Elastic Common Schema, which OpenTelemetry's conventions have taken over.
ECS_VERSION = "8.11.0"


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


def configure(log_format: str, level: str) -> None:
    """Send all logs to standard error, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        EcsFormatter() if log_format == "json" else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # kopf tells of each event, and of each try of a request that fails: kubernetes/sight.py tells that once.
    logging.getLogger("kopf").setLevel(logging.CRITICAL)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
