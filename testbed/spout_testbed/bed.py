"""A running test bed: the servers, and how to reach each of them."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from spout_testbed import apiserver, command, pachd, pachd_1, pachd_2, visitors
from spout_testbed import versions as known
from spout_testbed.builds import Builds
from spout_testbed.errors import TestbedError
from spout_testbed.etcd import etcd_server
from spout_testbed.forward import Forwarder
from spout_testbed.kafka import BOOTSTRAP, kafka_server
from spout_testbed.kube_api import KubeApi
from spout_testbed.kubelet.cluster import Cluster
from spout_testbed.kubelet.server import KubeletServer
from spout_testbed.kubelet.workers import Workers
from spout_testbed.namespaces import RUN_DIR, is_inside, only_bed
from spout_testbed.network import (
    APISERVER_PORT,
    BED_ADDRESS,
    LOOPBACK,
    PACHYDERM_ETCD_PEER_PORT,
    PACHYDERM_ETCD_PORT,
)
from spout_testbed.pachd import Place
from spout_testbed.pachyderm import Pachyderm
from spout_testbed.postgres import postgres_server
from spout_testbed.server import Server

_MOST_PODS = 32768
"""Pods of one Pachyderm that get a number of their own, also those that are gone."""


class Testbed:
    """Real servers: etcd and kube-apiserver, and on demand Pachyderm 1.13 and 2.12, and Kafka.

    Start a test bed with `Testbed.start(...)` in a `with` statement. Only one can run at a time in one set of
    namespaces. When it has ended, you can start another.
    """

    __test__ = False  # the name starts with Test, and pytest would collect it

    def __init__(self, folder: Path, builds: Builds, closing: contextlib.ExitStack) -> None:
        self.folder = folder
        """The folder of everything that this test bed writes: data, logs and configuration."""
        self._builds = builds
        self._closing = closing
        self._pachyderms: dict[str, Pachyderm] = {}
        """By the version that was asked for; the first is the one that `pachd`, `pachctl` and so on mean."""
        self._postgres: Server | None = None
        self._kafka: Server | None = None
        self.etcd = etcd_server(builds.etcd, folder / "etcd")
        self.apiserver = apiserver.apiserver(builds.apiserver, folder / "apiserver")
        self._kubelet = KubeletServer(certificate=apiserver.certificate_in(folder / "apiserver"))
        self.kubeconfig = self.kubeconfig_for(apiserver.ADMIN)
        """The kubeconfig of the administrator."""

    @classmethod
    def start(cls, *, pachyderm: str | tuple[str, ...] = (), kafka: bool = False) -> Self:
        """Start the servers and return when all of them are ready.

        Args:
            pachyderm: "1.13", "2.12", a whole version of Pachyderm 2 that was built, or one of each major version.
            kafka: whether a Kafka broker is started.

        Raises:
            TestbedError: this process is outside the namespaces of a test bed; something is not built; or a server did
                not start.
        """
        if not is_inside():
            raise TestbedError(
                "a test bed runs in its own namespaces: start this program with "
                "`python -m spout_testbed run -- PROGRAM`"
            )
        versions = (pachyderm,) if isinstance(pachyderm, str) else pachyderm
        builds = Builds.ready(pachyderm=versions, kafka=kafka)
        run_dir = Path(os.environ[RUN_DIR])
        with contextlib.ExitStack() as closing:
            # The ports are fixed, so the clients of a second test bed would reach the servers of the first one.
            closing.enter_context(only_bed(run_dir))
            bed = cls(Path(tempfile.mkdtemp(dir=run_dir, prefix="bed-")), builds, closing)
            bed._start_servers(versions, kafka=kafka)
            bed._closing = closing.pop_all()
            return bed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End all workers and servers, in the reverse order of their start."""
        self._closing.close()

    def pachyderm(self, version: str) -> Pachyderm:
        """The Pachyderm that was started as `version`.

        Raises:
            TestbedError: this test bed has none.
        """
        if version not in self._pachyderms:
            raise TestbedError(
                f"this test bed has no Pachyderm {version}: start it with Testbed.start(pachyderm={version!r})"
            )
        return self._pachyderms[version]

    @property
    def _first(self) -> Pachyderm:
        return self.pachyderm(next(iter(self._pachyderms), "1.13"))

    @property
    def pachd(self) -> Server:
        """The pachd of this test bed; like all that follows, that of the version which `start` named first."""
        return self._first.pachd

    @property
    def workers(self) -> Workers:
        """The runner of the workers of all pipelines."""
        return self._first.workers

    @property
    def pachd_address(self) -> str:
        """The address of pachd, for `python_pachyderm.Client.new_from_pachd_address`."""
        return self._first.address

    @property
    def pachyderm_namespace(self) -> str:
        """The Kubernetes namespace of pachd's pipelines, which is also the namespace of the Secrets of spouts."""
        return self._first.namespace

    def pachctl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - as subprocess.run has it
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run pachctl against the pachd of this test bed.

        Raises:
            TestbedError: the command failed, and `check` is set. The message has the output.
        """
        return self._first.pachctl(*arguments, input=input, check=check)

    @property
    def postgres(self) -> Server:
        """The PostgreSQL of Pachyderm 2."""
        if self._postgres is None:
            raise TestbedError('this test bed has no PostgreSQL: start it with Testbed.start(pachyderm="2.12")')
        return self._postgres

    @property
    def kafka(self) -> Server:
        """The Kafka broker of this test bed."""
        if self._kafka is None:
            raise TestbedError("this test bed has no Kafka: start it with Testbed.start(kafka=True)")
        return self._kafka

    @property
    def kafka_bootstrap(self) -> str:
        """The address of Kafka, for `bootstrap.servers`."""
        _ = self.kafka
        return BOOTSTRAP

    def kubeconfig_for(self, user: str) -> Path:
        """The kubeconfig of a user: "admin", or "operator" and "developer", which have no rights."""
        if user not in apiserver.USERS:
            raise TestbedError(f"there is no user {user!r}: use one of {', '.join(apiserver.USERS)}")
        return apiserver.write_kubeconfig(self.folder / "apiserver", user)

    def kubeconfig_for_account(self, namespace: str, name: str) -> Path:
        """The kubeconfig of a ServiceAccount, with a token that is valid for an hour.

        Raises:
            TestbedError: there is no such ServiceAccount.
        """
        token = self.kubectl("create", "token", name, f"--namespace={namespace}").stdout.strip()
        return apiserver.write_kubeconfig(self.folder / "apiserver", f"{namespace}.{name}", token=token)

    @property
    def audit_log(self) -> Path:
        """The file with the requests of ServiceAccounts: one audit.k8s.io/v1 event, as JSON, in each line."""
        return apiserver.audit_log_in(self.folder / "apiserver")

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - as subprocess.run has it
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator.

        Raises:
            TestbedError: the command failed, and `check` is set. The message has the output.
        """
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        return command.run([str(self._builds.kubectl), *arguments], env=env, stdin=input, check=check)

    def _start_servers(self, versions: tuple[str, ...], *, kafka: bool) -> None:
        of_2 = next((version for version in versions if known.is_pachyderm_2(version)), None)
        with ThreadPoolExecutor() as pool:
            # These need no other server, and take longest. The others need each other, in this order.
            alone = [pool.submit(self._start_kafka)] if kafka else []
            alone += [pool.submit(self._start_stores_of_2)] if of_2 else []
            try:
                self._start(self.etcd)
                self._start(self.apiserver)
                if versions:
                    self._show_apiserver_to_workers()
                    self._closing.enter_context(self._kubelet)
                for version in versions:
                    if version != of_2:
                        self._start_pachyderm_1(version)
            finally:
                for each in alone:
                    each.result()
            if of_2:
                self._start_pachyderm_2(of_2)
        # In the order that was asked for.
        self._pachyderms = {version: self._pachyderms[version] for version in versions}
        self._show_to_visitors()

    def _show_to_visitors(self) -> None:
        programs = {"kubectl": self._builds.kubectl}
        links = {"kubeconfig": self.kubeconfig}
        if self._pachyderms:
            programs["pachctl"] = self._first.pachctl_program
            links["pachctl.json"] = self._first.pachctl_config
        visitors.show(self.folder, programs=programs, links=links)

    def _start(self, server: Server) -> None:
        # The test bed kills the server at its end. No clean stop is needed, because the data are deleted too.
        self._closing.callback(server.kill)
        server.start()

    def _show_apiserver_to_workers(self) -> None:
        # The server puts an address into its certificate only if it listens there alone, or advertises it.
        server = (LOOPBACK, APISERVER_PORT)
        self._closing.enter_context(Forwarder((BED_ADDRESS, APISERVER_PORT), server))

    def _start_kafka(self) -> None:
        self._kafka = kafka_server(self._builds.java, self._builds.kafka, self.folder / "kafka")
        self._start(self._kafka)

    def _start_stores_of_2(self) -> None:
        self._postgres = postgres_server(self._builds.postgres, self.folder / "postgres")
        self._start(self._postgres)
        ports = {"port": PACHYDERM_ETCD_PORT, "peer_port": PACHYDERM_ETCD_PEER_PORT}
        self._start(etcd_server(self._builds.etcd, self.folder / "etcd-pachyderm", name="etcd of Pachyderm", **ports))

    def _start_pachyderm_1(self, version: str) -> None:
        with contextlib.closing(self._administrator()) as api:
            pachd_1.prepare_cluster(api)
        binaries, folder = self._builds.pachyderm[version], self.folder / "pachd"
        server = pachd_1.pachd_1(binaries, folder)
        self._serve(version, server, pachd_1.PLACE, pachd_1.SERVICES, folder, first_pod=0)

    def _start_pachyderm_2(self, version: str) -> None:
        with contextlib.closing(self._administrator()) as api:
            pachd_2.prepare_cluster(api)
        binaries, folder = self._builds.pachyderm[version], self.folder / "pachd-2"
        server = pachd_2.pachd_2(binaries, folder, version=known.whole(version))
        self._serve(version, server, pachd_2.PLACE, pachd_2.SERVICES, folder, first_pod=_MOST_PODS)

    def _serve(
        self, version: str, server: Server, place: Place, services: Mapping[str, str], folder: Path, *, first_pod: int
    ) -> None:
        """Start pachd and the runner of its workers."""
        whole, binaries = known.whole(version), self._builds.pachyderm[version]
        self._start(server)
        authority = apiserver.certificate_in(self.folder / "apiserver").read_bytes()
        workers = Workers(
            Cluster(self._administrator(), place.namespace, authority=authority),
            images=pachd.images(binaries, folder, version=whole),
            services=services,
            folder=folder / "workers",
            first_number=first_pod,
        )
        self._kubelet.serve(place.namespace, workers)
        self._closing.callback(workers.stop)
        workers.start()
        self._pachyderms[version] = Pachyderm(
            whole, server=server, place=place, binaries=binaries, config=pachd.config_in(folder), workers=workers
        )

    def _administrator(self) -> KubeApi:
        return KubeApi(
            token=apiserver.token_of(apiserver.ADMIN),
            certificate=apiserver.certificate_in(self.folder / "apiserver"),
        )
