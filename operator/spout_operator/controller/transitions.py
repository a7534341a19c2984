"""One log line for each time that a condition of a Spout moves: the story of a night, read from top to bottom."""

import logging
from collections.abc import Mapping
from typing import Any

from spout_operator.core import user_lines
from spout_operator.core.model import SpoutKey
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import condition_of
from spout_operator.core.status.conditions import READY
from spout_operator.core.status.freshness import LATE
from spout_operator.core.status.health import RECONCILING, TRUE

logger = logging.getLogger(__name__)


def log_transitions(key: SpoutKey, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Tell of a status that says something else than the one before, of readiness or of late commits.

    What the policy denies is told once for each generation: each is another attempt.
    """
    old, new = condition_of(before, READY), condition_of(after, READY)
    is_new_attempt = (
        new["reason"] == Reason.POLICY_DENIED and old.get("observedGeneration") != after["observedGeneration"]
    )
    if (old.get("status"), old.get("reason")) != (new["status"], new["reason"]) or is_new_attempt:
        is_well = new["status"] == TRUE or condition_of(after, RECONCILING).get("status") == TRUE
        _log(key, READY, old, new, is_well=is_well)
    for kind, late in LATE.items():
        old, new = condition_of(before, kind), condition_of(after, kind)
        # That nothing is known, the line on Ready tells.
        if (old.get("reason") == late) != (new.get("reason") == late):
            _log(key, kind, old, new, is_well=new.get("reason") != late)


def _log(key: SpoutKey, kind: str, old: Mapping[str, Any], new: Mapping[str, Any], *, is_well: bool) -> None:
    says = f"{new['status']} ({new['reason']})" if new else "over"
    was = f", was {old['status']} ({old['reason']})" if old else ""
    said = f": {user_lines.without(new['message'])}" if new else ""
    logger.log(
        logging.INFO if is_well else logging.WARNING,
        "Spout %s: %s is %s%s%s",
        *(key, kind, says, was, said),
        extra={
            "orchestrator.type": "kubernetes",
            "orchestrator.namespace": key.namespace,
            "orchestrator.resource.type": "Spout",
            "orchestrator.resource.name": key.name,
            "event.action": "transition",
            "event.reason": (new or old)["reason"],
        },
    )
