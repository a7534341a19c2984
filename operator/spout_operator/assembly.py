"""Puts the parts together: the only module that names concrete adapters."""

import asyncio
import datetime
import gc
import logging
import os
import pathlib
import signal
import socket
import sys
import threading
import uuid

from spout_operator import __version__
from spout_operator.config import CommandError, Config, PachdAddress
from spout_operator.controller.controller import Controller
from spout_operator.core.errors import NotLeading
from spout_operator.core.policy import RESTRICTED
from spout_operator.kubernetes import access, preflight
from spout_operator.kubernetes.api import Api
from spout_operator.kubernetes.events import KubernetesEvents
from spout_operator.kubernetes.informer import KopfInformer
from spout_operator.kubernetes.leases import DEADLINE as LEASE_DEADLINE
from spout_operator.kubernetes.leases import KubernetesLeases
from spout_operator.kubernetes.spouts import KubernetesSpouts
from spout_operator.pachyderm.connection import Connection
from spout_operator.pachyderm.selection import SelectedPachyderm
from spout_operator.ports import Pachyderm
from spout_operator.process.election import Election
from spout_operator.process.manager import Operator
from spout_operator.process.policy_file import PolicyFile
from spout_operator.telemetry import logs, tracing
from spout_operator.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

#: Seconds to stop in: more than the longest request takes, less than the 30 that a kubelet waits.
GRACE = 25.0
#: New objects until the collector looks for cycles. Each event of a watch is one in the end, because kopf's body of it
#: refers to itself: dozens of objects, and several KiB with the texts in them.
COLLECTION_THRESHOLD = 5_000


def run(config: Config) -> None:
    """Run the operator as `config` says; returns when it was told to stop.

    Raises:
        CommandError: a setting, the cluster or the HTTP port is not as the operator needs it.
        SystemExit: 1, where a part failed or the Lease was lost; the log has told which.
    """
    logger.info("spout-operator %s starts", __version__)
    # The first list is tens of thousands of objects. They stay, or reference counting frees them: with Python's default
    # of 700 new objects the collector runs over and over, and finds nothing.
    gc.freeze()
    gc.set_threshold(COLLECTION_THRESHOLD, 20, 20)
    gc.enable()
    tracer, send_last_spans = tracing.configure()
    metrics = Metrics(tracer=tracer)
    try:
        asyncio.run(_run(config, metrics))
    except NotLeading as error:
        logger.error("%s; it ends, to start anew as one that waits", error.message)  # noqa: TRY400 - the message says it all
        sys.exit(1)
    except CommandError:
        raise
    except Exception:
        # The end of the process: whatever it is, it is told in the log, and the supervisor starts anew.
        logger.exception("a part of the operator failed; it ends, to be started anew")
        sys.exit(1)
    finally:
        send_last_spans()
    logger.info("stopped")


def pachyderm_at(connection: Connection) -> Pachyderm:
    """The Pachyderm of a connection, whichever of the supported versions it has; it is asked at the first call."""
    return SelectedPachyderm([lambda: _pachyderm_1(connection), lambda: _pachyderm_2(connection)])


def pachyderm_to_read(
    pachd: PachdAddress, *, ca_file: pathlib.Path | None, token_file: pathlib.Path | None
) -> Pachyderm:
    """The same for a command that only looks, without an election and without metrics that somebody reads."""
    return pachyderm_at(Connection(pachd=pachd, ca_file=ca_file, token_file=token_file, telemetry=Metrics()))


async def _run(config: Config, metrics: Metrics) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end_in_time, stop)
    operator = await asyncio.to_thread(_assemble, config, metrics)
    await operator.run(stop)


def end_in_time(stop: asyncio.Event, grace: float = GRACE) -> None:
    """Have the operator stop. What of it has not stopped after `grace` seconds is left behind.

    Args:
        stop: is set.
        grace: seconds until the process ends in any case, with 1.
    """

    def leave_behind() -> None:
        logger.error("a part of the operator has not stopped within %.0f s; the process ends without it", grace)
        # Not sys.exit: that would wait for the threads that do not end.
        os._exit(1)

    stop.set()
    last = threading.Timer(grace, leave_behind)
    last.daemon = True
    last.start()


def _assemble(config: Config, metrics: Metrics) -> Operator:
    """All parts, for a cluster that was checked."""
    policy_file = PolicyFile(config.policy_file) if config.policy_file is not None else None
    api_client = access.connect()
    api = Api(api_client, telemetry=metrics)
    preflight.check(api, config.namespaces)
    preflight.check_events(api, config.namespaces)
    cluster = config.cluster_id or preflight.cluster_uid(api)
    election = None
    if config.lease is not None:
        election = Election(
            KubernetesLeases(
                Api(api_client, telemetry=metrics, deadline=LEASE_DEADLINE),
                namespace=config.lease.namespace,
                name=config.lease.name,
            ),
            name=str(config.lease),
            # As client-go has it: unlike any other, also after a restart in the same Pod.
            identity=f"{socket.gethostname()}_{uuid.uuid4()}",
            now=_now,
        )
    permit = election.permit if election is not None else None
    connection = Connection(
        pachd=config.pachd, ca_file=config.ca_file, token_file=config.token_file, telemetry=metrics, permit=permit
    )
    api_of_leader = Api(api_client, telemetry=metrics, permit=permit)
    spouts, events = KubernetesSpouts(api_of_leader), KubernetesEvents(api_of_leader, instance=socket.gethostname())

    def new_controller() -> Controller:
        controller = Controller(
            pachyderm=pachyderm_at(connection),
            spouts=spouts,
            telemetry=metrics,
            address=config.pachd.url,
            cluster=cluster,
            poll_interval=config.poll_interval,
            quiet_interval=config.quiet_interval,
            status_interval=config.status_interval,
            now=_now,
            namespaces=config.namespaces,
            events=events,
            policy=policy_file.policy if policy_file is not None else RESTRICTED,
            user_log_lines=config.show_user_log_lines,
        )
        logs.keep_out(controller.secrets)
        return controller

    informer = KopfInformer(telemetry=metrics, namespaces=config.namespaces)
    return Operator(
        config,
        new_controller=new_controller,
        informer=informer,
        election=election,
        metrics=metrics,
        policy_file=policy_file,
    )


def _pachyderm_1(connection: Connection) -> Pachyderm:
    # The SDK costs time and memory, so it is imported where it is needed, once for each process.
    from spout_operator.pachyderm.v1.backend import PachydermV1  # noqa: PLC0415 - see above

    return PachydermV1(connection)


def _pachyderm_2(connection: Connection) -> Pachyderm:
    from spout_operator.pachyderm.v2.backend import PachydermV2  # noqa: PLC0415 - as in _pachyderm_1

    return PachydermV2(connection)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
