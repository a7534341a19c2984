"""What real workers say of user code that runs, ends, fails or writes what the server refuses."""

import dataclasses
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spout_operator.core.activity import (
    LONGEST_LINE,
    Activity,
    Ended,
    Failed,
    OutputRefused,
    Started,
    Stop,
    WorkerEvent,
)
from spout_operator.core.model import PipelineName, PipelineSpec, SecretMount, SpoutOptions, Transform
from spout_operator.pachyderm.v1.backend import PachydermV1
from spout_operator.pachyderm.v2.backend import PachydermV2
from spout_testbed import Testbed
from spout_testbed.pachyderm import Pachyderm
from spout_testbed.versions import is_pachyderm_2, under_test
from spout_testbed.waiting import eventually
from tests.contract.calls import Synchronous
from tests.contract.conftest import RUNS_FOR_REAL
from tests.contract.pachyderm.harness import OWNER, connection_to

#: Longer than what is kept of a line.
LONG = "long " * 50
SECRET = "what only the user code may say"  # noqa: S105 - no password
VERSIONS = under_test()
ONES = [version for version in VERSIONS if not is_pachyderm_2(version)]
TWOS = [version for version in VERSIONS if is_pachyderm_2(version)]

#: As Pachyderm's own example of a marker does it.
DATA_AND_MARKER = """
import io, tarfile
with open("/pfs/out", "wb") as out, tarfile.open(fileobj=out, mode="w|") as tar:
    for name in ("data", "offset"):
        entry = tarfile.TarInfo(name)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"1"))
import time
time.sleep(1000)
"""
NO_ARCHIVE = """
with open("/pfs/out", "wb") as out:
    out.write(b"this is no archive" * 100)
import time
time.sleep(1000)
"""
WITH_SDK = f"""
import pachyderm_sdk
from pachyderm_sdk.api import pfs
print({SECRET!r}, flush=True)
client = pachyderm_sdk.Client.from_pachd_address("ADDRESS")
with client.pfs.commit(branch=pfs.Branch.from_uri("no-such-repo@master")):
    pass
"""


@dataclasses.dataclass
class Workers:
    """Spouts that run on a real Pachyderm, and the port that tells of them."""

    pachyderm: Pachyderm
    port: Synchronous
    folder: Path
    names: list[PipelineName] = dataclasses.field(default_factory=list)

    def run(
        self,
        *cmd: str,
        image: str = "none:1",
        marker: str = "",
        secrets: tuple[SecretMount, ...] = (),
        pod_patch: str = "",
    ) -> PipelineName:
        name = PipelineName(name=f"{RUNS_FOR_REAL}{uuid.uuid4().hex[:8]}")
        self.names.append(name)
        transform = Transform(image=image, cmd=cmd, secrets=secrets)
        spec = PipelineSpec(transform=transform, spout=SpoutOptions(marker=marker), pod_patch=pod_patch)
        assert self.port.create(name, spec, OWNER) == 1
        return name

    def run_program(self, program: str, **options: Any) -> PipelineName:
        path = self.folder / f"{uuid.uuid4().hex}.py"
        path.write_text(program.replace("ADDRESS", self.pachyderm.address))
        return self.run(sys.executable, str(path), **options)

    def told(self, name: PipelineName, since: datetime | None = None) -> Activity:
        found: Activity = self.port.activity(name, since=since)
        assert SECRET not in repr(found)
        return found

    def wait_for(self, name: PipelineName, enough: Callable[[list[WorkerEvent]], object], what: str) -> Activity:
        """What is told as soon as the events are enough, and nothing is unknown."""

        def look() -> Activity | None:
            found = self.told(name)
            return found if found.unknown is None and enough(list(found.events)) else None

        return eventually(look, what=what, seconds=90, interval=0.5, details=lambda: repr(self.told(name)))

    def last_lines(self, name: PipelineName, most: int) -> tuple[str, ...]:
        """What the user code wrote before its newest stop, once that is told."""

        def look() -> list[Stop]:
            events = self.port.activity(name, since=None, last_lines=most).events
            return [each for each in events if isinstance(each, Stop)]

        return eventually(look, what="a stop of the code", seconds=60, interval=0.5)[-1].last_lines

    def wait_unknown(self, name: PipelineName, why: str) -> None:
        """Wait until nothing is known, and why."""
        eventually(
            lambda: why in (self.told(name).unknown or ""),
            what=f"nothing to be known: {why}",
            seconds=60,
            interval=0.5,
            details=lambda: repr(self.told(name)),
        )

    def wait_for_failure(self, name: PipelineName) -> Failed:
        """The first failure, when the worker has said when it tries again."""

        def tells(events: list[WorkerEvent]) -> bool:
            return any(isinstance(each, Failed) and each.retry_in is not None for each in events)

        events = self.wait_for(name, tells, "a failure").events
        assert isinstance(events[0], Started)
        (first, *_) = [each for each in events if isinstance(each, Failed)]
        assert first.retry_in is not None
        assert timedelta() < first.retry_in < timedelta(seconds=30)
        assert abs(datetime.now(UTC) - first.at) < timedelta(minutes=2)
        return first


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def workers(real_bed: Testbed, version: str, tmp_path: Path) -> Iterator[Workers]:
    pachyderm = real_bed.pachyderm(version)
    adapter = PachydermV2 if is_pachyderm_2(version) else PachydermV1
    found = Workers(pachyderm, Synchronous(adapter(connection_to(pachyderm.address))), tmp_path)
    yield found
    for name in found.names:
        found.port.delete(name, keep_repo=False)


@pytest.mark.parametrize(
    ("cmd", "exit_code", "error", "reason"),
    [
        (("/no/such/program",), None, "fork/exec /no/such/program: no such file or directory", "cannot be started"),
        (("sh", "-c", f"echo {SECRET}; exit 3"), 3, None, "ends at once, for ever"),
        (("sh", "-c", "kill -9 $$"), None, "signal: killed", "as out of memory"),
    ],
)
def test_code_that_fails(
    workers: Workers, cmd: tuple[str, ...], exit_code: int | None, error: str | None, reason: str
) -> None:
    failure = workers.wait_for_failure(workers.run(*cmd))
    assert (failure.exit_code, failure.error) == (exit_code, error), reason


def test_code_that_ends_with_0(workers: Workers) -> None:
    name = workers.run("sh", "-c", f"echo {SECRET}; exit 0")
    events = workers.wait_for(name, lambda events: len(events) > 1, "the end").events
    assert [type(each) for each in events] == [Started, Ended]


def test_code_that_runs(workers: Workers) -> None:
    name = workers.run("sh", "-c", f"echo {SECRET}; sleep 1000")
    (started,) = workers.wait_for(name, bool, "the start").events
    assert isinstance(started, Started)
    assert workers.told(name, since=started.at).events == (started,)
    assert workers.told(name, since=started.at + timedelta(microseconds=1)) == Activity(events=(), unknown=None)


@pytest.mark.parametrize("end", ["exit 3", "exit 0", "kill -9 $$"])
def test_the_last_lines_of_the_code_are_told_where_they_are_asked_for(workers: Workers, end: str) -> None:
    name = workers.run("sh", "-c", f"echo one >&2; sleep 0.2; printf '%s\\n' two '{LONG}' 'ü x'; {end}")

    assert workers.last_lines(name, 9) == ("one", "two", LONG[: LONGEST_LINE - 1] + "…", "ü x"), "of both streams"
    assert workers.last_lines(name, 1) == ("ü x",)


@pytest.mark.parametrize("version", ONES, indirect=True)
def test_the_last_lines_before_a_refusal_are_told_where_they_are_asked_for(workers: Workers) -> None:
    name = workers.run_program(f"print('before', flush=True)\n{DATA_AND_MARKER}", marker="offset")

    assert workers.last_lines(name, 2) == ("before",)


def test_code_that_prints_a_line_that_pachd_cannot_read_and_fails(workers: Workers) -> None:
    """pachd reads no further than a line of more than 64 KiB, so all that is told in one answer is the start."""
    name = workers.run("sh", "-c", "sleep 0.2; head -c 100000 /dev/zero | tr '\\0' x; echo; sleep 0.2; exit 5")
    assert workers.wait_for_failure(name).exit_code == 5


@pytest.mark.parametrize("version", ONES, indirect=True)
@pytest.mark.parametrize(
    ("program", "error", "reason"),
    [
        (
            DATA_AND_MARKER,
            "all requests in a put files call must have the same commit ID; expected '",
            "Pachyderm's own example of a marker",
        ),
        (NO_ARCHIVE, "archive/tar: invalid tar header", "no archive"),
    ],
)
def test_archives_that_are_refused(workers: Workers, program: str, error: str, reason: str) -> None:
    name = workers.run_program(program, marker="offset")
    events = workers.wait_for(
        name, lambda events: any(isinstance(each, OutputRefused) for each in events), "a refusal"
    ).events
    (first, *_) = [each for each in events if isinstance(each, OutputRefused)]
    assert first.error.startswith(error), reason
    assert not any(isinstance(each, Failed) for each in events), reason


@pytest.mark.parametrize("version", TWOS, indirect=True)
def test_code_that_fails_because_the_server_refuses_its_commit(workers: Workers) -> None:
    assert workers.wait_for_failure(workers.run_program(WITH_SDK)).exit_code == 1


def test_a_pipeline_that_is_stopped_has_no_log(workers: Workers) -> None:
    name = workers.run("sleep", "1000")
    workers.wait_for(name, bool, "the start")
    workers.port.stop(name)
    workers.wait_unknown(name, "no pods belonging to the rc")


def test_a_worker_that_does_not_come_up_has_no_log(workers: Workers) -> None:
    name = workers.run("sleep", "1000", image="registry.invalid/spout:1")
    workers.wait_unknown(name, "is waiting to start: trying and failing to pull image")


def test_a_worker_whose_secret_is_missing_waits_in_the_words_of_the_kubelet(
    workers: Workers, real_bed: Testbed
) -> None:
    place = ("--namespace", workers.pachyderm.namespace)
    secret = f"late-{uuid.uuid4().hex[:8]}"
    # 2.12 refuses to create a pipeline whose Secret is missing.
    real_bed.kubectl("create", "secret", "generic", secret, "--from-literal=key=x", *place)
    name = workers.run("sleep", "1000", secrets=(SecretMount(name=secret, key="key", env_var="KEY"),))
    workers.wait_for(name, bool, "the start")
    real_bed.kubectl("delete", "secret", secret, *place)
    real_bed.kubectl("delete", "pods", "--selector", f"pipelineName={name.name}", *place)

    eventually(
        lambda: "is waiting to start: CreateContainerConfigError" in (workers.told(name).waiting or ""),
        what="the Secret to be missed",
        seconds=60,
        interval=0.5,
        details=lambda: repr(workers.told(name)),
    )


def test_of_a_worker_that_ends_again_and_again_nobody_says_that_it_waits(workers: Workers, real_bed: Testbed) -> None:
    """A kubelet hands out the log of the container that has ended, also while it backs off."""
    patch = '[{"op": "replace", "path": "/containers/0/command", "value": ["sh", "-c", "exit 1"]}]'
    name = workers.run("sleep", "1000", pod_patch=patch)
    of_pod = ("get", "pods", "--selector", f"pipelineName={name.name}", "--namespace", workers.pachyderm.namespace)
    eventually(
        lambda: "CrashLoopBackOff" in real_bed.kubectl(*of_pod, "--output=yaml").stdout,
        what="the container to be backed off",
        seconds=60,
        details=lambda: real_bed.kubectl(*of_pod, "--output=yaml").stdout,
    )

    found = workers.told(name)
    assert (found.events, found.waiting) == ((), None)


def test_a_pipeline_that_is_not_there_has_no_log(workers: Workers) -> None:
    found = workers.told(PipelineName(name="nobody"))
    assert found.events == ()
    assert found.unknown is not None
    assert "nobody" in found.unknown
