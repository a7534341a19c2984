"""The policy that is in force, and how often it refused something."""

from collections.abc import Mapping
from typing import Any

from spout_operator.core import policy
from spout_operator.core.facts import Facts
from spout_operator.core.model import Spout, SpoutKey
from spout_operator.core.policy import Denial, Policy
from spout_operator.core.reasons import Reason
from spout_operator.core.resource import SpoutResource, condition_of
from spout_operator.core.status.conditions import READY
from spout_operator.ports import Telemetry


class PolicyInForce:
    """Asked at each reconcile; replaced as a whole when the administrator's policy has changed."""

    def __init__(self, in_force: Policy, telemetry: Telemetry) -> None:
        self.in_force = in_force
        self._telemetry = telemetry
        self._counted: dict[SpoutKey, int] = {}

    def denials(self, spout: Spout) -> tuple[Denial, ...]:
        """What the policy does not allow of a Spout that has the server's defaults in its spec."""
        return policy.denials(self.in_force, spout)

    def allows_claim(self, claim: Facts) -> bool:
        """Whether a Spout may name its pipeline. One that may not takes the name from nobody."""
        return policy.allows_name(self.in_force, claim.key.namespace, claim.pipeline_name)

    def count(self, resource: SpoutResource, shown: Mapping[str, Any], refused: tuple[Denial, ...]) -> None:
        """Count what was refused, once for each generation of a Spout, also over restarts of the operator.

        Args:
            resource: the Spout.
            shown: its status before this was found out.
            refused: what the policy does not allow.
        """
        key, generation = resource.key, resource.generation
        if not refused:
            self._counted.pop(key, None)
            return
        ready = condition_of(shown, READY)
        is_shown = ready.get("reason") == Reason.POLICY_DENIED and ready.get("observedGeneration") == generation
        if not is_shown and self._counted.get(key) != generation:
            for permission in {denial.permission for denial in refused}:
                self._telemetry.denied(permission)
        self._counted[key] = generation

    def forget(self, key: SpoutKey) -> None:
        """The Spout is gone."""
        self._counted.pop(key, None)
