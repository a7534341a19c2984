"""Why a worker's Pod does not come up, in the words of Kubernetes that Pachyderm passes on."""

import pytest

from spout_operator.core.model import PipelineState
from spout_operator.core.pod_faults import reason_of
from spout_operator.core.reasons import Reason
from spout_operator.core.status import health
from tests.builders import a_pipeline

PULL_FAILED = (
    'failed to pull and unpack image "registry.invalid/spout:1": failed to resolve reference "registry.invalid/spout": '
    'failed to do request: Head "https://registry.invalid/v2/": dial tcp: lookup registry.invalid: no such host'
)
#: Each with where the words come from.
WORDS = [
    (PULL_FAILED, Reason.IMAGE_PULL_BACK_OFF, "containerd, by way of ErrImagePull"),
    (
        'Back-off pulling image "example/spout:1": ErrImagePull: not found',
        Reason.IMAGE_PULL_BACK_OFF,
        "the kubelet, while it waits",
    ),
    (
        'Failed to apply default image tag "A:B:C": invalid reference format',
        Reason.IMAGE_PULL_BACK_OFF,
        "the kubelet, InvalidImageName",
    ),
    (
        "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available",
        Reason.UNSCHEDULABLE,
        "the scheduler",
    ),
    ('secret "late" not found', Reason.CREATE_CONTAINER_CONFIG_ERROR, "the kubelet"),
    ("couldn't find key password in Secret pachyderm/late", Reason.CREATE_CONTAINER_CONFIG_ERROR, "the kubelet"),
    (
        "back-off 5m0s restarting failed container=user pod=pipeline-spout-v1-abcde_pachyderm(uid)",
        Reason.CRASH_LOOP_BACK_OFF,
        "the kubelet",
    ),
    (
        'container "user" in pod "pipeline-spout-v1-abcde" is waiting to start: image can\'t be pulled',
        Reason.IMAGE_PULL_BACK_OFF,
        "the kubelet, to who asks for a log",
    ),
    (
        'container "user" in pod "pipeline-spout-v1-abcde" is waiting to start: trying and failing to pull image',
        Reason.IMAGE_PULL_BACK_OFF,
        "the same",
    ),
    (
        'container "user" in pod "pipeline-spout-v1-abcde" is waiting to start: CreateContainerConfigError',
        Reason.CREATE_CONTAINER_CONFIG_ERROR,
        "the same",
    ),
    (
        'container "user" in pod "pipeline-spout-v1-abcde" is waiting to start: ContainerCreating',
        None,
        "a volume, or the image, is on its way",
    ),
    ("could not get RC.", None, "Pachyderm's own words"),
    ("", None, "no words"),
]


@pytest.mark.parametrize(("words", "reason", "source"), WORDS)
def test_the_words_of_kubernetes_have_a_reason_of_their_own(words: str, reason: Reason | None, source: str) -> None:
    assert reason_of(words) is reason, source

    found = health.of_pipeline(a_pipeline(state=PipelineState.CRASHING, reason=words), None)

    assert (found.ready, found.reason) == (health.FALSE, reason or Reason.PIPELINE_CRASHING)
    assert words in found.message
