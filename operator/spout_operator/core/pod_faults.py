"""Why the Pod of a worker does not come up, from the words of Kubernetes that Pachyderm passes on.

The words are those of the kubelet and the scheduler, the same under each Pachyderm: Kubernetes 1.36,
`pkg/kubelet/images/image_manager.go` and `pkg/kubelet/images/types.go` (images), `pkg/kubelet/kubelet_pods.go` and
`pkg/kubelet/container/sync_result.go` (containers, and answers to who asks for their logs),
`pkg/scheduler/framework/types.go` (nodes).
"""

import re

from spout_operator.core.reasons import Reason

_TABLE = tuple(
    (reason, re.compile("|".join(patterns)))
    for reason, patterns in (
        (
            Reason.IMAGE_PULL_BACK_OFF,
            (
                "ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull",
                "Back-off pulling image|[Ff]ailed to pull|Failed to apply default image tag",
                "failing to pull image|image can't be pulled",
            ),
        ),
        (Reason.UNSCHEDULABLE, (r"\d+/\d+ nodes are available", "no nodes available to schedule pods")),
        (Reason.CRASH_LOOP_BACK_OFF, ("CrashLoopBackOff", "back-off .*restarting failed container")),
        (
            Reason.CREATE_CONTAINER_CONFIG_ERROR,
            (
                "CreateContainerConfigError",
                '(secret|configmap) "[^"]+" not found',
                "couldn't find key .* in (Secret|ConfigMap)",
            ),
        ),
    )
)


#: Why a Pod does not come up.
REASONS = frozenset(reason for reason, _ in _TABLE)


def reason_of(words: str) -> Reason | None:
    """The reason of a condition that says why a Pod does not come up; None where the words tell of nothing known."""
    return next((reason for reason, pattern in _TABLE if pattern.search(words)), None)
