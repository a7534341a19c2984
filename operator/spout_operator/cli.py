"""The command line. Every flag can be given as an environment variable too: SPOUT_OPERATOR_RUN_... see --help."""

import os
import pathlib
import sys

import click

from spout_operator import __version__, logs
from spout_operator.config import Config, ConfigError, PachdAddress

_PREFIX = "SPOUT_OPERATOR_"
_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=pathlib.Path)


@click.group()
@click.version_option(__version__, prog_name="spout-operator")
def main() -> None:
    """Run Pachyderm spout pipelines from Spout resources."""


@main.command(context_settings={"show_default": True})
@click.option(
    "--pachd-address",
    required=True,
    envvar=_PREFIX + "PACHD_ADDRESS",
    show_envvar=True,
    metavar="URL",
    help="Pachyderm: grpc://HOST:PORT, or grpcs://HOST:PORT for TLS.",
)
@click.option(
    "--pachd-ca-file",
    type=_FILE,
    envvar=_PREFIX + "PACHD_CA_FILE",
    show_envvar=True,
    help="CA certificates (PEM) for grpcs; without it, those of certifi. Read again when it changes.",
)
@click.option(
    "--pachd-token-file",
    type=_FILE,
    envvar=_PREFIX + "PACHD_TOKEN_FILE",
    show_envvar=True,
    help="File with the Pachyderm auth token. Read again when it changes.",
)
@click.option(
    "--namespace",
    "-n",
    "namespaces",
    multiple=True,
    envvar=_PREFIX + "NAMESPACES",
    show_envvar=True,
    help="Watch only this namespace; may be given several times. In the variable: separated by spaces.",
)
@click.option(
    "--kubeconfig",
    metavar="FILE",
    envvar="KUBECONFIG",
    show_envvar=True,
    help="Without it: the service account inside a cluster, else ~/.kube/config.",
)
@click.option(
    "--poll-interval",
    type=click.FloatRange(min=0.1),
    default=10,
    envvar=_PREFIX + "POLL_INTERVAL",
    show_envvar=True,
    help="Seconds between looks at Pachyderm: one ListPipeline for all Spouts, one ListBranch for each.",
)
@click.option(
    "--status-interval",
    type=click.FloatRange(min=0),
    default=5,
    envvar=_PREFIX + "STATUS_INTERVAL",
    show_envvar=True,
    help="At least so many seconds between two status writes of one Spout.",
)
@click.option(
    "--health-port",
    type=click.IntRange(0, 65535),
    default=8080,
    envvar=_PREFIX + "HEALTH_PORT",
    show_envvar=True,
    help="Port of /livez and /readyz; 0 for none.",
)
@click.option(
    "--cluster-id",
    envvar=_PREFIX + "CLUSTER_ID",
    show_envvar=True,
    help="What tells this cluster's pipelines from another's in the same Pachyderm; "
    "without it, the uid of the namespace kube-system.",
)
@click.option(
    "--log-format",
    type=click.Choice(logs.FORMATS),
    default="text",
    envvar=_PREFIX + "LOG_FORMAT",
    show_envvar=True,
    help="For people or for a collector.",
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info",
    envvar=_PREFIX + "LOG_LEVEL", show_envvar=True, help="The least level that is logged.",
)  # fmt: skip
def run(
    *,
    pachd_address: str,
    pachd_ca_file: pathlib.Path | None,
    pachd_token_file: pathlib.Path | None,
    namespaces: tuple[str, ...],
    kubeconfig: str | None,
    poll_interval: float,
    status_interval: float,
    health_port: int,
    cluster_id: str | None,
    log_format: str,
    log_level: str,
) -> None:
    """Watch Spouts and keep their pipelines as they ask."""
    logs.configure(log_format, log_level)
    if kubeconfig is not None:
        # Both kopf and the official client look here; so there is one place that decides.
        os.environ["KUBECONFIG"] = kubeconfig
    try:
        config = Config(
            pachd=PachdAddress.parse(pachd_address),
            namespaces=namespaces,
            ca_file=pachd_ca_file,
            token_file=pachd_token_file,
            poll_interval=poll_interval,
            status_interval=status_interval,
            health_port=health_port,
            cluster_id=cluster_id,
        )
        # Here and not above: --help and a wrong flag answer without loading the clients.
        from spout_operator import assembly  # noqa: PLC0415

        assembly.run(config)
    except ConfigError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
