"""The status of a Pod is what a kubelet reports."""

from typing import Any

import pytest

from spout_testbed.kubelet import status
from spout_testbed.kubelet.status import INITIALIZING, PENDING, ContainerStatus

Json = dict[str, Any]

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"
RUNNING = status.running(EARLY)
COMPLETED = status.terminated(0, started=EARLY, now=LATE)
KILLED = status.terminated(137, started=EARLY, now=LATE)
BACK_OFF = status.waiting("CrashLoopBackOff", "back-off 1s")


def one(state: Json, *, last: Json | None = None, name: str = "user", restarts: int = 0) -> ContainerStatus:
    return ContainerStatus(name=name, image="image:1", state=state, last_state=last or {}, restarts=restarts)


def reported(
    *containers: ContainerStatus,
    init: tuple[ContainerStatus, ...] = (),
    previous: Json | None = None,
    now: str = EARLY,
) -> Json:
    return status.pod_status(init=init, containers=containers, address="10.88.0.7", previous=previous or {}, now=now)


def conditions(found: Json) -> dict[str, bool]:
    return {each["type"]: each["status"] == "True" for each in found["conditions"]}


@pytest.mark.parametrize(
    ("init", "containers", "phase", "initialized", "ready", "reason"),
    [
        ([], [PENDING, PENDING], "Pending", True, False, "nothing has started"),
        ([RUNNING], [INITIALIZING], "Pending", False, False, "the init container runs"),
        ([BACK_OFF], [INITIALIZING], "Pending", False, False, "the init container failed"),
        ([COMPLETED, PENDING], [INITIALIZING], "Pending", False, False, "the second init container is next"),
        ([COMPLETED], [RUNNING, RUNNING], "Running", True, True, "all run"),
        ([COMPLETED], [RUNNING, BACK_OFF], "Pending", True, False, "one of two never started"),
    ],
)
def test_the_phase_and_the_conditions_follow_the_containers(
    init: list[Json], containers: list[Json], phase: str, *, initialized: bool, ready: bool, reason: str
) -> None:
    found = reported(*map(one, containers), init=tuple(map(one, init)))
    assert found["phase"] == phase, reason
    assert conditions(found) == {
        "PodScheduled": True,
        "Initialized": initialized,
        "ContainersReady": ready,
        "Ready": ready,
    }, reason
    assert [each["state"] for each in found.get("initContainerStatuses", [])] == init


def test_a_pod_whose_only_container_waits_to_start_again_is_running_and_not_ready() -> None:
    found = reported(one(BACK_OFF, last=KILLED, restarts=2))
    assert (found["phase"], conditions(found)["Ready"]) == ("Running", False)
    (container,) = found["containerStatuses"]
    assert container["state"] == BACK_OFF
    assert container["lastState"]["terminated"] == {
        "exitCode": 137,
        "reason": "Error",
        "startedAt": EARLY,
        "finishedAt": LATE,
    }
    assert (container["restartCount"], container["ready"], container["started"]) == (2, False, False)


def test_a_pod_with_a_container_that_never_started_is_pending() -> None:
    no_image = status.waiting("ImagePullBackOff", "Back-off pulling image")
    assert reported(one(no_image), one(RUNNING, name="storage"))["phase"] == "Pending"
    assert reported(one(BACK_OFF, last=KILLED), one(RUNNING, name="storage"))["phase"] == "Running"


def test_each_container_has_its_own_status() -> None:
    found = reported(one(RUNNING, last=KILLED, restarts=1), one(RUNNING, name="storage"))
    shown = [(each["name"], each["restartCount"], "lastState" in each) for each in found["containerStatuses"]]
    assert shown == [("user", 1, True), ("storage", 0, False)]


def test_an_init_container_is_ready_when_it_has_completed() -> None:
    found = reported(one(RUNNING), init=(one(COMPLETED, name="init"),))
    (init,) = found["initContainerStatuses"]
    assert (init["ready"], init["state"]["terminated"]["reason"]) == (True, "Completed")


def test_a_condition_keeps_its_time_while_it_does_not_change() -> None:
    first = reported(one(RUNNING))
    second = reported(one(BACK_OFF, last=KILLED), previous=first, now=LATE)
    assert {each["type"]: each["lastTransitionTime"] for each in second["conditions"]} == {
        "PodScheduled": EARLY,
        "Initialized": EARLY,
        "ContainersReady": LATE,
        "Ready": LATE,
    }
    assert second["startTime"] == EARLY
