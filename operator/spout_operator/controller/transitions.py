"""One log line for each time that the readiness of a Spout moves: the story of a night, read from top to bottom."""

import logging
from collections.abc import Mapping
from typing import Any

from spout_operator.core import user_lines
from spout_operator.core.model import SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import condition_of
from spout_operator.core.status.conditions import READY
from spout_operator.core.status.health import RECONCILING, TRUE

logger = logging.getLogger(__name__)


def log_transition(key: SpoutKey, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Tell of a status that says something else about readiness than the one before.

    What the policy denies is told once for each generation: each is another attempt.
    """
    old, new = condition_of(before, READY), condition_of(after, READY)
    is_new_attempt = (
        new["reason"] == Reason.POLICY_DENIED and old.get("observedGeneration") != after["observedGeneration"]
    )
    if (old.get("status"), old.get("reason")) == (new["status"], new["reason"]) and not is_new_attempt:
        return
    is_well = new["status"] == TRUE or condition_of(after, RECONCILING).get("status") == TRUE
    was = f", was {old['status']} ({old['reason']})" if old else ""
    logger.log(
        logging.INFO if is_well else logging.WARNING,
        "Spout %s: Ready is %s (%s)%s: %s",
        *(key, new["status"], new["reason"], was, user_lines.without(new["message"])),
        extra={
            "orchestrator.type": "kubernetes",
            "orchestrator.namespace": key.namespace,
            "orchestrator.resource.type": "Spout",
            "orchestrator.resource.name": key.name,
            "event.action": "transition",
            "event.reason": new["reason"],
        },
    )
