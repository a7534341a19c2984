"""A running test bed: the servers, and how to reach each of them."""

import contextlib
import fcntl
import os
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from spout_testbed import apiserver, pachd
from spout_testbed.builds import Builds
from spout_testbed.errors import TestbedError
from spout_testbed.etcd import etcd_server
from spout_testbed.kafka import BOOTSTRAP, kafka_server
from spout_testbed.kube_api import KubeApi
from spout_testbed.namespaces import RUN_DIR, is_inside
from spout_testbed.server import Server
from spout_testbed.workers import Workers

T = TypeVar("T")


class Testbed:
    """Real servers: etcd and kube-apiserver, and on demand pachd with its workers, and Kafka.

    Start a test bed with `Testbed.start(...)` in a `with` statement. Only one can run at a time in one set of
    namespaces. When it has ended, you can start another.
    """

    __test__ = False  # the name starts with Test, and pytest would collect it

    def __init__(self, folder: Path, builds: Builds, closing: contextlib.ExitStack) -> None:
        self.folder = folder
        """The folder of everything that this test bed writes: data, logs and configuration."""
        self._builds = builds
        self._closing = closing
        self._pachd: Server | None = None
        self._workers: Workers | None = None
        self._kafka: Server | None = None
        self.etcd = etcd_server(builds.etcd, folder / "etcd")
        self.apiserver = apiserver.apiserver(builds.apiserver, folder / "apiserver")
        self.kubeconfig = self.kubeconfig_for(apiserver.ADMIN)
        """The kubeconfig of the administrator."""

    @classmethod
    def start(cls, *, pachyderm: bool = False, kafka: bool = False) -> Self:
        """Start the servers and return when all of them are ready.

        Raises:
            TestbedError: this process is outside the namespaces of a test bed; something is not built; or a server did
                not start.
        """
        if not is_inside():
            raise TestbedError(
                "a test bed runs in its own namespaces: start this program with "
                "`python -m spout_testbed run -- PROGRAM`"
            )
        builds = Builds.ready(pachyderm=pachyderm, kafka=kafka)
        run_dir = Path(os.environ[RUN_DIR])
        with contextlib.ExitStack() as closing:
            # The ports are fixed, so the clients of a second test bed would reach the servers of the first one.
            closing.enter_context(_only_bed(run_dir))
            bed = cls(Path(tempfile.mkdtemp(dir=run_dir, prefix="bed-")), builds, closing)
            bed._start_servers(pachyderm=pachyderm, kafka=kafka)
            bed._closing = closing.pop_all()
            return bed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End all workers and servers, in the reverse order of their start."""
        self._closing.close()

    @property
    def pachd(self) -> Server:
        """The pachd of this test bed."""
        return _asked_for(self._pachd, "pachyderm")

    @property
    def workers(self) -> Workers:
        """The runner of the workers of all pipelines."""
        return _asked_for(self._workers, "pachyderm")

    @property
    def kafka(self) -> Server:
        """The Kafka broker of this test bed."""
        return _asked_for(self._kafka, "kafka")

    @property
    def pachd_address(self) -> str:
        """The address of pachd, for `python_pachyderm.Client.new_from_pachd_address`."""
        _asked_for(self._pachd, "pachyderm")
        return pachd.ADDRESS

    @property
    def kafka_bootstrap(self) -> str:
        """The address of Kafka, for `bootstrap.servers`."""
        _asked_for(self._kafka, "kafka")
        return BOOTSTRAP

    @property
    def pachyderm_namespace(self) -> str:
        """The Kubernetes namespace of pachd's pipelines, which is also the namespace of the Secrets of spouts."""
        return pachd.NAMESPACE

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
        return _tool([str(self._builds.kubectl), *arguments], env=env, stdin=input, check=check)

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
        env = {**os.environ, "PACH_CONFIG": str(self._pachctl_config)}
        return _tool([str(self._builds.pachctl), *arguments], env=env, stdin=input, check=check)

    @property
    def _pachctl_config(self) -> Path:
        return pachd.config_in(self.folder / "pachd")

    def _start_servers(self, *, pachyderm: bool, kafka: bool) -> None:
        with ThreadPoolExecutor() as pool:
            # Kafka needs no other server and takes longest. The others need each other, in this order.
            broker = pool.submit(self._start_kafka) if kafka else None
            try:
                self._start(self.etcd)
                self._start(self.apiserver)
                if pachyderm:
                    self._start_pachyderm()
            finally:
                if broker is not None:
                    broker.result()
        self._show_to_visitors()

    def _show_to_visitors(self) -> None:
        """Create the folder `current`, in which `python -m spout_testbed enter` finds the programs and files."""
        programs = {"kubectl": self._builds.kubectl}
        links = {"kubeconfig": self.kubeconfig}
        if self._pachd is not None:
            programs["pachctl"] = self._builds.pachctl
            links["pachctl.json"] = self._pachctl_config
        visitors = self.folder / "visitors"
        (visitors / "bin").mkdir(parents=True)
        for name, target in links.items():
            (visitors / name).symlink_to(target)
        for name, target in programs.items():
            (visitors / "bin" / name).symlink_to(target)
        current = self.folder.parent / "current"
        current.unlink(missing_ok=True)
        current.symlink_to(visitors)

    def _start(self, server: Server) -> None:
        # The test bed kills the server at its end. No clean stop is needed, because the data are deleted too.
        self._closing.callback(server.kill)
        server.start()

    def _start_kafka(self) -> None:
        self._kafka = kafka_server(self._builds.java, self._builds.kafka, self.folder / "kafka")
        self._start(self._kafka)

    def _start_pachyderm(self) -> None:
        api = KubeApi(
            token=apiserver.token_of(apiserver.ADMIN),
            certificate=apiserver.certificate_in(self.folder / "apiserver"),
        )
        pachd.prepare_cluster(api)
        self._pachd = pachd.pachd_server(self._builds.pachyderm, self.folder / "pachd")
        self._start(self._pachd)
        self._workers = Workers(api, binary=self._builds.pachyderm / "worker", folder=self.folder / "workers")
        self._closing.callback(self._workers.stop)
        self._workers.start()


def _asked_for(server: T | None, argument: str) -> T:
    if server is None:
        raise TestbedError(f"this test bed has no such server: start it with Testbed.start({argument}=True)")
    return server


@contextlib.contextmanager
def _only_bed(run_dir: Path) -> Iterator[None]:
    with (run_dir / "bed.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TestbedError("another test bed runs here already: stop it before you start one") from None
        yield


def _tool(argv: list[str], *, env: dict[str, str], stdin: str | None, check: bool) -> subprocess.CompletedProcess[str]:
    """Run a command-line tool.

    Raises:
        TestbedError: the tool ended with an exit code other than 0, and `check` is set. The message has the output.
    """
    done = subprocess.run(argv, env=env, input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        shown = " ".join([Path(argv[0]).name, *argv[1:]])
        raise TestbedError(f"`{shown}` ended with exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done
