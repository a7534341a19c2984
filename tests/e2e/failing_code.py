"""User code that does not run, and what its Spout has to say: the same on each Pachyderm."""

import dataclasses
import datetime
import re
from typing import Any

from spout_operator.core.timestamps import parse_time
from spout_testbed import Testbed
from spout_testbed.harness import bodies
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually

#: How code ends after it has said something, and the reason that its Spout has then.
ENDS = [("exit 3", "UserCodeFailing"), ("exit 0", "UserCodeEnded")]
#: From the first failure of new code until the Spout is not ready.
SOON = datetime.timedelta(seconds=15)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """User code that does not run."""

    name: str
    cmd: tuple[str, ...]
    reason: str
    stalled: str | None
    says: str


CASES = [
    Case(
        name="the command does not exist",
        cmd=("/no/such/program",),
        reason="UserCodeFailing",
        stalled=None,
        says="fork/exec /no/such/program: no such file or directory",
    ),
    Case(
        name="it ends with exit code 3, for ever",
        cmd=("sh", "-c", "exit 3"),
        reason="UserCodeFailing",
        stalled=None,
        says="the last time with exit code 3",
    ),
    Case(
        name="it ends with exit code 0",
        cmd=("sh", "-c", "exit 0"),
        reason="UserCodeEnded",
        stalled="True",
        says="does not start it again",
    ),
    Case(
        name="it dies of a broken pipe, which the worker takes for exit code 0",
        cmd=("sh", "-c", "kill -PIPE $$"),
        reason="UserCodeEnded",
        stalled="True",
        says="or of a broken pipe (SIGPIPE)",
    ),
]


def with_command(spec: bodies.Body, *cmd: str) -> bodies.Body:
    """The spec, with another command."""
    return {**spec, "transform": {**spec["transform"], "cmd": list(cmd)}}


def ready(status: dict[str, Any]) -> dict[str, Any]:
    """The condition Ready."""
    return next(condition for condition in status["conditions"] if condition["type"] == "Ready")


def check_case(case: Case, spouts: Spouts, name: str, spec: bodies.Body) -> None:
    """Create a Spout with the command of the case: it says so soon, and never was ready."""
    created = datetime.datetime.now(datetime.UTC)
    spouts.create(name, with_command(spec, *case.cmd))
    status = spouts.wait(name, case.name, ready="False", reason=case.reason, stalled=case.stalled)
    found = ready(status)
    assert case.says in found["message"]
    first = re.search(r" since (\S+?)[,;]", found["message"])
    begin = parse_time(first[1]) if first else created
    told = parse_time(found["lastTransitionTime"])
    # Times in a status have whole seconds. What is UserCodeEnded has no time; a worker takes a few seconds to come up.
    assert told - begin <= SOON + datetime.timedelta(seconds=1 if first else 15), f"told at {told}, failed at {begin}"
    log = spouts.details(name)
    assert f"Spout {spouts.namespace}/{name}: Ready is True" not in log


#: What only the user code writes; the password is in its environment.
LINE, PASSWORD = "order 4711 of a customer", "correct horse"
SAYS = f"echo starting; echo '{LINE}' $PASSWORD; sleep 0.2; echo no such topic >&2"


def says(spec: bodies.Body, end: str) -> bodies.Body:
    """The spec, with a program that says three lines and then ends."""
    transform = {**spec["transform"], "cmd": ["sh", "-c", f"{SAYS}; {end}"], "stdin": []}
    return {**spec, "transform": {**transform, "env": {**transform["env"], "PASSWORD": PASSWORD}}}


@dataclasses.dataclass(frozen=True)
class Installation:
    """An operator that runs, and one Spout that is not created yet."""

    bed: Testbed
    operator: OperatorProcess
    spouts: Spouts
    name: str

    def check_no_line(self, spec: bodies.Body) -> None:
        """By default, no line of the user code is told anywhere."""
        self.spouts.create(self.name, says(spec, "exit 3"))

        status = self.spouts.wait(self.name, "its code to fail", ready="False", reason="UserCodeFailing")
        everything = f"{status}{self._told_beside_the_status('UserCodeFailing')}"
        assert [line for line in (LINE, "no such topic", "last lines", PASSWORD) if line in everything] == []

    def check_last_lines(self, spec: bodies.Body, end: str, reason: str) -> None:
        """An operator that is told to shows the last lines in the status, and there alone."""
        self.operator.stop()
        self.operator.launch("--show-user-log-lines=2")
        self.spouts.create(self.name, says(spec, end))

        status = self.spouts.wait(self.name, "its code to stop", ready="False", reason=reason)
        found = ready(status)["message"]
        assert found.endswith(f"; the last lines of the user code: {LINE} [redacted] | no such topic"), found
        elsewhere = self._told_beside_the_status(reason)
        assert [line for line in (LINE, "no such topic", "last lines") if line in elsewhere] == []
        assert PASSWORD not in f"{status}{elsewhere}"

    def _told_beside_the_status(self, reason: str) -> str:
        """The Events of the namespace, once there is one of that reason; and the operator's log and metrics."""
        get = ("get", "events.events.k8s.io", "--namespace", self.spouts.namespace, "--output=yaml")

        def events() -> str:
            found = self.bed.kubectl(*get).stdout
            return found if f"reason: {reason}" in found else ""

        found = eventually(events, what=f"the Event {reason}", seconds=30, details=self.operator.log.read_text)
        return found + self.operator.log.read_text() + self.operator.get("/metrics")
