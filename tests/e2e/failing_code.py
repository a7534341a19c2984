"""User code that does not run, and what its Spout has to say: the same on each Pachyderm."""

import dataclasses
import datetime
import re
from typing import Any

from spout_operator.core.timestamps import parse_time
from spout_testbed.harness import bodies
from spout_testbed.harness.spouts import Spouts

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
