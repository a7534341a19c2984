"""Each setting has a flag and a variable, and docs/reference/configuration.md lists them all."""

import re
from pathlib import Path

import click
import pytest

from spout_operator.cli import main

CONFIGURATION = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"
RUN = main.commands["run"]
ADDRESS = "--pachd-address=grpc://pachd:650"


def settings() -> dict[str, click.Option]:
    """The options that a variable can set, by the variable."""
    return {str(option.envvar): option for option in RUN.params if isinstance(option, click.Option) and option.envvar}


def rows() -> dict[str, tuple[str, str]]:
    """Flag and default of each row of the documented table, by the variable."""
    cells = re.findall(r"^\|(.*?)\| `([A-Z_]+)` \| (.*?) \|", CONFIGURATION.read_text(), re.MULTILINE)
    return {variable: (flag.partition(",")[0].strip(" `"), default) for flag, variable, default in cells}


def test_the_configuration_page_lists_every_setting_and_one_variable_of_opentelemetry() -> None:
    assert rows().keys() - settings().keys() == {"OTEL_EXPORTER_OTLP_ENDPOINT"}
    assert settings().keys() <= rows().keys()


@pytest.mark.parametrize("variable", settings())
def test_each_flag_and_default_equals_the_one_on_the_configuration_page(variable: str) -> None:
    option, (flag, default) = settings()[variable], rows()[variable]
    assert flag == option.opts[0]
    if isinstance(option.default, int | float):
        assert float(default.split()[0]) == option.default
    elif option.default in {"text", "info"}:
        assert default == f"`{option.default}`"


@pytest.mark.parametrize(
    ("variable", "given", "name", "read"),
    [
        ("SPOUT_OPERATOR_PACHD_ADDRESS", "grpc://a:1", "pachd_address", "grpc://a:1"),
        ("SPOUT_OPERATOR_PACHD_TOKEN_FILE", str(CONFIGURATION), "pachd_token_file", CONFIGURATION),
        ("SPOUT_OPERATOR_PACHD_CA_FILE", str(CONFIGURATION), "pachd_ca_file", CONFIGURATION),
        ("SPOUT_OPERATOR_NAMESPACES", "ingest orders", "namespaces", ("ingest", "orders")),
        ("KUBECONFIG", "file", "kubeconfig", "file"),
        ("SPOUT_OPERATOR_POLL_INTERVAL", "2.5", "poll_interval", 2.5),
        ("SPOUT_OPERATOR_QUIET_INTERVAL", "60", "quiet_interval", 60),
        ("SPOUT_OPERATOR_STATUS_INTERVAL", "0", "status_interval", 0),
        ("SPOUT_OPERATOR_SHOW_USER_LOG_LINES", "20", "show_user_log_lines", 20),
        ("SPOUT_OPERATOR_HTTP_PORT", "0", "http_port", 0),
        ("SPOUT_OPERATOR_LEASE", "ns/name", "lease", "ns/name"),
        ("SPOUT_OPERATOR_SPOUT_METRICS_LIMIT", "7", "spout_metrics_limit", 7),
        ("SPOUT_OPERATOR_CLUSTER_ID", "here", "cluster_id", "here"),
        ("SPOUT_OPERATOR_LOG_FORMAT", "json", "log_format", "json"),
        ("SPOUT_OPERATOR_LOG_LEVEL", "debug", "log_level", "debug"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
def test_a_variable_is_taken_in(
    monkeypatch: pytest.MonkeyPatch, variable: str, given: str, name: str, read: object
) -> None:
    for other in settings():
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(variable, given)

    context = RUN.make_context("run", [] if variable == "SPOUT_OPERATOR_PACHD_ADDRESS" else [ADDRESS])

    assert context.params[name] == read
