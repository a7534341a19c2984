"""Measures how soon a Spout whose user code fails is not ready, on both servers. Runs inside a test bed.

    python -m benchmarks.user_code [RUNS]

New code ends with exit code 3 as soon as it is started; later code commits nothing and ends after 40 seconds. The time
is from the failure, as the worker has logged it, until a client of the API server sees READY False.
"""

import argparse
import datetime
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import show
from spout_operator.core.timestamps import parse_time
from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.cluster import administrator, install
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually

#: The default intervals of an installation. If a flag is given twice, the last one counts.
FLAGS = ("--poll-interval=10", "--quiet-interval=300", "--status-interval=5")
#: By kind: the command, and how many Spouts there are at a time. The logs of many that are new are read one after the
#: other, with pauses, so two at a time measure the operator and not the queue.
KINDS = {"new code": ("exit 3", 2), "code that fails later": ("sleep 40; exit 3", 10)}


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measures how soon a Spout whose user code fails is not ready.")
    parser.add_argument("runs", nargs="?", type=int, default=20, help="Spouts of each kind; by default 20")
    runs = parser.parse_args().runs
    for version in ("1.13", "2.12"):
        with Testbed.start(pachyderm=version) as bed, tempfile.TemporaryDirectory() as folder:
            install(bed)
            operator = OperatorProcess(
                kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
                pachd_address=bed.pachd_address,
                log=Path(folder) / "operator.log",
                flags=FLAGS,
            )
            with operator, administrator(bed) as api_client:
                spouts = Spouts(api_client, "default", operator.log)
                for kind, (command, at_once) in KINDS.items():
                    found = sorted(measured(spouts, command, runs, at_once))
                    show(f"{version}, {kind}: failure to READY False, {runs} runs, p50", f"{found[runs // 2]:.1f} s")
                    show(f"{version}, {kind}: p95", f"{found[max(0, -(-runs * 95 // 100) - 1)]:.1f} s")


def measured(spouts: Spouts, command: str, runs: int, at_once: int) -> list[float]:
    """Seconds of each run."""
    found: list[float] = []
    while len(found) < runs:
        names = [f"spout-{len(found) + number}" for number in range(min(at_once, runs - len(found)))]
        found += _measured(spouts, names, command)
    return found


def _measured(spouts: Spouts, names: Sequence[str], command: str) -> list[float]:
    for name in names:
        spouts.create(name, a_spec({"transform.image": "none", "transform.cmd": ["sh", "-c", command], "spout": {}}))
    told: dict[str, float] = {}

    def all_told() -> bool:
        for name in names:
            status = spouts.status_as(name, ready="False", reason="UserCodeFailing")
            if status is not None and name not in told:
                told[name] = (_now() - _failed_at(status["conditions"])).total_seconds()
        return len(told) == len(names)

    eventually(all_told, what="all to be told", seconds=300, interval=0.2)
    for name in names:
        spouts.delete(name)
    for name in names:
        spouts.wait_gone(name)
    time.sleep(1)
    return list(told.values())


def _failed_at(conditions: Sequence[dict[str, str]]) -> datetime.datetime:
    """When the user code failed first, as the message has it, in whole seconds."""
    message = next(condition["message"] for condition in conditions if condition["type"] == "Ready")
    found = re.search(r" since (\S+),", message)
    if found is None:
        raise ValueError(f"found {message!r}, expected the time of the first failure in it")
    return parse_time(found[1])


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


if __name__ == "__main__":
    main()
