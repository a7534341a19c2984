"""Log lines with words of others contain no secrets."""

import io
import json
import logging
from collections.abc import Callable

import pytest

from spout_operator.core.redaction import Secrets
from spout_operator.telemetry import logs

ERROR = 'cannot use "hunter2\\nhunter3"'


class Log:
    """Loggers of any name, whose lines a test can read."""

    def __init__(self, log_format: str, secrets: Callable[[], Secrets]) -> None:
        self._stream = io.StringIO()
        self._handler = logging.StreamHandler(self._stream)
        self._handler.setFormatter(logs.formatter(log_format))
        self._handler.addFilter(logs.Redaction(secrets))

    def of(self, name: str) -> logging.Logger:
        logger = logging.Logger(name)  # noqa: LOG001 - not one of the process's: nothing of it is left behind
        logger.addHandler(self._handler)
        return logger

    @property
    def told(self) -> str:
        return self._stream.getvalue()


@pytest.fixture(params=logs.FORMATS)
def log(request: pytest.FixtureRequest) -> Log:
    return Log(request.param, lambda: Secrets(["hunter2\nhunter3"]))


def fail() -> None:
    """Raise an error that quotes a secret and is the cause of another."""
    raise KeyError("effect") from ValueError(ERROR)


def test_a_stack_trace_is_logged_without_secrets(log: Log) -> None:
    try:
        fail()
    except KeyError:
        log.of("spout_operator.controller.reconciler").exception("Spout a/b: unexpected error")

    assert "hunter" not in log.told
    assert "Spout a/b: unexpected error" in log.told
    assert "KeyError: 'effect'" in log.told
    assert "ValueError: cannot use" in log.told
    assert "test_logs.py" in log.told, "where it happened"


def test_the_message_of_a_library_is_logged_without_secrets(log: Log) -> None:
    log.of("kopf.objects").error("Handler failed with %s, 100%%", ERROR)

    assert "hunter" not in log.told
    assert "Handler failed with cannot use" in log.told
    assert "100%" in log.told


@pytest.mark.parametrize("log_format", logs.FORMATS)
def test_the_operators_own_messages_are_not_searched_for_secrets(log_format: str) -> None:
    def secrets() -> Secrets:
        raise AssertionError("with a thousand Spouts that takes 10 ms a line")

    log = Log(log_format, secrets)
    log.of("spout_operator.controller.poller").info("Pachyderm answers %s", "again")

    assert "Pachyderm answers again" in log.told


def test_a_json_line_is_one_object_with_the_stack_trace_under_its_key() -> None:
    log = Log("json", lambda: Secrets(["hunter2\nhunter3"]))
    try:
        fail()
    except KeyError:
        log.of("asyncio").exception("Task exception was never retrieved")

    line = json.loads(log.told)
    assert line["message"] == "Task exception was never retrieved"
    assert 'ValueError: cannot use "[redacted]"' in line["error.stack_trace"]
