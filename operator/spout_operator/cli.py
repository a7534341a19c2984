"""The command line. Every flag can be given as an environment variable too: SPOUT_OPERATOR_..., see --help."""

import gc
import os
import pathlib
import sys

import click

from spout_operator import __version__
from spout_operator.commands import options
from spout_operator.commands.import_pipelines import import_pipelines
from spout_operator.commands.run_local import run_local
from spout_operator.config import CommandError, Config, LeaseName, PachdAddress
from spout_operator.telemetry import logs

_PREFIX = options.PREFIX


@click.group()
@click.version_option(__version__, prog_name="spout-operator")
def main() -> None:
    """Run Pachyderm spout pipelines from Spout resources."""


main.add_command(import_pipelines)
main.add_command(run_local)


@main.command()
@click.option(
    "--url", required=True, metavar="URL", help="The URL of a running operator, for example http://spout-operator:8080."
)
@click.option(
    "--namespace",
    "-n",
    help="The namespace in which to try a Spout; nothing is stored. Without it, the command tries none.",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    help="Seconds to wait for the operator to become ready.",
)
@click.option("--kubeconfig", metavar="FILE", envvar="KUBECONFIG", show_envvar=True, help="As for `run`.")
def check(*, url: str, namespace: str | None, patience: float, kubeconfig: str | None) -> None:
    """Check that an installed operator is ready and that the cluster accepts a Spout. `helm test` runs this."""
    logs.configure("text", "warning")
    if kubeconfig is not None:
        os.environ["KUBECONFIG"] = kubeconfig
    try:
        from spout_operator import installation  # noqa: PLC0415 - as below

        for line in installation.check(url, namespace, patience=patience):
            click.echo(line)
    except CommandError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


@main.command(context_settings={"show_default": True})
@options.pachyderm(required=True)
@click.option(
    "--namespace",
    "-n",
    "namespaces",
    multiple=True,
    envvar=_PREFIX + "NAMESPACES",
    show_envvar=True,
    help="Watch only this namespace; can be repeated. In the variable, separate namespaces by spaces.",
)
@click.option(
    "--kubeconfig",
    metavar="FILE",
    envvar="KUBECONFIG",
    show_envvar=True,
    help="The kubeconfig file. Without it: the service account inside a cluster, else ~/.kube/config.",
)
@click.option(
    "--poll-interval",
    type=click.FloatRange(min=0.1),
    default=10,
    envvar=_PREFIX + "POLL_INTERVAL",
    show_envvar=True,
    help="Seconds between two polls of Pachyderm: one ListPipeline for all Spouts, one ListBranch for each busy Spout.",
)
@click.option(
    "--quiet-interval",
    type=click.FloatRange(min=0.1),
    default=300,
    envvar=_PREFIX + "QUIET_INTERVAL",
    show_envvar=True,
    help="The longest time, in seconds, between two reads of the heads of a Spout that makes no commits.",
)
@click.option(
    "--status-interval",
    type=click.FloatRange(min=0),
    default=5,
    envvar=_PREFIX + "STATUS_INTERVAL",
    show_envvar=True,
    help="The shortest time, in seconds, between two status updates of one Spout.",
)
@click.option(
    "--show-user-log-lines",
    type=click.IntRange(0, 20),
    default=0,
    envvar=_PREFIX + "SHOW_USER_LOG_LINES",
    show_envvar=True,
    help="The number of last lines of user code that fails or ends, to be shown in the status. "
    "They can hold secrets that the operator does not know.",
)
@click.option(
    "--http-port",
    type=click.IntRange(0, 65535),
    default=8080,
    envvar=_PREFIX + "HTTP_PORT",
    show_envvar=True,
    help="Port of /livez, /readyz and /metrics; 0 for none.",
)
@click.option(
    "--lease",
    metavar="NAMESPACE/NAME",
    envvar=_PREFIX + "LEASE",
    show_envvar=True,
    help="Act only while this replica holds this Lease, so that several replicas can run. Without it, act at once.",
)
@click.option(
    "--spout-metrics-limit",
    type=click.IntRange(min=0),
    default=1000,
    envvar=_PREFIX + "SPOUT_METRICS_LIMIT",
    show_envvar=True,
    help="The largest number of Spouts that get metrics of their own (6 series each); 0 for none.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=pathlib.Path),
    metavar="FILE",
    envvar=_PREFIX + "POLICY",
    show_envvar=True,
    help="A YAML file that says what Spouts may ask of the namespace of Pachyderm; read again when it changes. "
    "Without it: no Secrets, no podPatch, the service type ClusterIP, and all names.",
)
@click.option(
    "--cluster-id",
    envvar=_PREFIX + "CLUSTER_ID",
    show_envvar=True,
    help="The identity of this cluster in the owner annotations of its pipelines; "
    "without it, the uid of the namespace kube-system. Set a new one in a clone of a cluster, which has the same uid.",
)
@click.option(
    "--log-format",
    type=click.Choice(logs.FORMATS),
    default="text",
    envvar=_PREFIX + "LOG_FORMAT",
    show_envvar=True,
    help="text for people, json for a log collector.",
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info",
    envvar=_PREFIX + "LOG_LEVEL", show_envvar=True, help="The lowest level that is logged.",
)  # fmt: skip
def run(
    *,
    pachd_address: str,
    pachd_ca_file: pathlib.Path | None,
    pachd_token_file: pathlib.Path | None,
    namespaces: tuple[str, ...],
    kubeconfig: str | None,
    poll_interval: float,
    quiet_interval: float,
    status_interval: float,
    show_user_log_lines: int,
    http_port: int,
    lease: str | None,
    spout_metrics_limit: int,
    policy_file: pathlib.Path | None,
    cluster_id: str | None,
    log_format: str,
    log_level: str,
) -> None:
    """Watch Spouts, and keep their pipelines equal to what they ask for."""
    logs.configure(log_format, log_level)
    if kubeconfig is not None:
        # Both kopf and the official client read this variable; so there is one place that decides.
        os.environ["KUBECONFIG"] = kubeconfig
    try:
        config = Config(
            pachd=PachdAddress.parse(pachd_address),
            namespaces=tuple(dict.fromkeys(namespaces)),
            ca_file=pachd_ca_file,
            token_file=pachd_token_file,
            poll_interval=poll_interval,
            quiet_interval=quiet_interval,
            status_interval=status_interval,
            show_user_log_lines=show_user_log_lines,
            http_port=http_port,
            cluster_id=cluster_id,
            lease=LeaseName.parse(lease) if lease else None,
            spout_metrics_limit=spout_metrics_limit,
            policy_file=policy_file,
        )
        # Here and not above: --help and a wrong flag answer without loading the clients.
        # The modules of the clients make objects that stay: the collector would search them in vain. `assembly.run`
        # starts it again.
        gc.disable()
        from spout_operator import assembly  # noqa: PLC0415 - see above

        assembly.run(config)
    except CommandError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
