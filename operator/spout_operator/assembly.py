"""Puts the parts together and runs them: the only module that names concrete adapters."""

import asyncio
import datetime
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from spout_operator import __version__, health
from spout_operator.config import Config
from spout_operator.kubernetes import access
from spout_operator.kubernetes.spouts import KubernetesSpouts
from spout_operator.kubernetes.watch import watch
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v1.client import Connection
from spout_operator.ports import Pachyderm, Spouts
from spout_operator.runtime.engine import Engine

logger = logging.getLogger(__name__)

#: A poller that has not come round for so many seconds is stuck (every call has a deadline of 15 s).
STUCK_AFTER = 300.0


class Operator:
    """All parts of one operator process; `run` runs them until it is told to stop."""

    def __init__(self, config: Config, *, pachyderm: Pachyderm, spouts: Spouts, cluster: str) -> None:
        self._config = config
        self._ready = asyncio.Event()
        self._engine = Engine(
            pachyderm=pachyderm,
            spouts=spouts,
            address=config.pachd.url,
            cluster=cluster,
            poll_interval=config.poll_interval,
            status_interval=config.status_interval,
            now=lambda: datetime.datetime.now(datetime.UTC),
        )

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. A part that ends by itself ends the others: a restart mends more than a limp."""
        parts = self._engine.start_workers()
        parts.append(asyncio.create_task(self._engine.poller.run()))
        parts.append(asyncio.create_task(self._tell_ready()))
        async with self._health():
            watching = asyncio.create_task(
                watch(self._engine.observe, namespaces=self._config.namespaces, ready=self._ready)
            )
            done, _ = await asyncio.wait({watching, *parts}, return_when=asyncio.FIRST_COMPLETED)
            for part in (watching, *parts):
                part.cancel()
            await asyncio.gather(watching, *parts, return_exceptions=True)
        self._engine.close()
        for task in done:
            task.result()

    async def _tell_ready(self) -> None:
        await self._ready.wait()
        logger.info("ready: watching Spouts, Pachyderm at %s", self._config.pachd.url)
        await asyncio.Event().wait()

    @asynccontextmanager
    async def _health(self) -> AsyncIterator[None]:
        if self._config.health_port == 0:
            yield
            return
        runner = await health.serve(self._config.health_port, live=self._what_is_stuck, ready=self._what_is_missing)
        try:
            yield
        finally:
            await runner.cleanup()

    def _what_is_stuck(self) -> str | None:
        last = self._engine.poller.last_tick
        late = last is not None and asyncio.get_running_loop().time() - last > STUCK_AFTER + self._config.poll_interval
        return "the poller is stuck" if late else None

    def _what_is_missing(self) -> str | None:
        return None if self._ready.is_set() else "the watch is not on yet"


def run(config: Config) -> None:
    """Run the operator as `config` says; returns when it was told to stop.

    Raises:
        ConfigError: the cluster is not as the operator needs it.
        SystemExit: 1, where a part failed; the log has told which.
    """
    logger.info("spout-operator %s starts", __version__)
    api_client = access.connect()
    access.check_crd(api_client, config.namespaces)
    cluster = config.cluster_id or access.cluster_uid(api_client)
    pachd = config.pachd
    connection = Connection(
        host=pachd.host, port=pachd.port, tls=pachd.tls, ca_file=config.ca_file, token_file=config.token_file
    )

    async def run_operator() -> None:
        operator = Operator(
            config, pachyderm=PachydermV1(connection), spouts=KubernetesSpouts(api_client), cluster=cluster
        )
        await operator.run()

    try:
        asyncio.run(run_operator())
    except OSError as error:
        logger.error("cannot start: %s; a port that is taken can be changed with --health-port", error)  # noqa: TRY400 - the message says it all
        sys.exit(1)
    except Exception:
        # The end of the process: whatever it is, it is told in the log, and the supervisor starts anew.
        logger.exception("a part of the operator failed; it ends, to be started anew")
        sys.exit(1)
    logger.info("stopped")
