"""How often something was refused: once for each generation of a Spout that asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from spout_operator.controller.policy import PolicyInForce
from spout_operator.core.policy import RESTRICTED, Denial, Permission
from spout_operator.telemetry.metrics import Metrics
from tests.builders import a_key, a_resource


def a_denial(permission: Permission, field: str = "spec.podPatch") -> Denial:
    return Denial(permission=permission, field=field, found="it", would_allow="...")


PATCH, SECRET = a_denial(Permission.POD_PATCH), a_denial(Permission.SECRETS)
OTHER_SECRET = a_denial(Permission.SECRETS, "spec.transform.imagePullSecrets[0]")


def shows(reason: str, generation: int) -> Mapping[str, Any]:
    return {"conditions": [{"type": "Ready", "status": "False", "reason": reason, "observedGeneration": generation}]}


@dataclass(frozen=True, kw_only=True)
class Look:
    """A reconcile of a Spout: its generation, what its status shows before, and what is refused."""

    generation: int = 1
    shown: Mapping[str, Any]
    refused: tuple[Denial, ...] = (PATCH,)


NEW = Look(shown={})
AGAIN = Look(shown=shows("PolicyDenied", 1))
ALLOWED = Look(shown=shows("PolicyDenied", 1), refused=())


@pytest.mark.parametrize(
    ("looks", "counted", "reason"),
    [
        ([NEW], 1, "it is new"),
        ([NEW, NEW, NEW], 1, "its status was not written yet"),
        ([NEW, AGAIN, AGAIN], 1, "nothing has changed"),
        ([AGAIN], 0, "the operator was restarted, and its status tells that it was counted"),
        ([Look(shown=shows("Running", 1))], 1, "the policy was changed"),
        ([NEW, Look(generation=2, shown=shows("PolicyDenied", 1))], 2, "it was edited and is refused anew"),
        ([Look(generation=2, shown=shows("PolicyDenied", 1))], 1, "the same after a restart"),
        ([NEW, ALLOWED, Look(shown=shows("Running", 1))], 2, "it was allowed in between"),
        ([ALLOWED], 0, "nothing was ever refused"),
    ],
)
def test_a_denial_is_counted_once_for_each_generation(looks: list[Look], counted: int, reason: str) -> None:
    metrics = Metrics()
    policy = PolicyInForce(RESTRICTED, metrics)

    for look in looks:
        policy.count(a_resource(generation=look.generation), look.shown, look.refused)

    assert count_of(metrics, "podPatch") == counted, reason


def test_each_permission_is_counted_once_however_many_fields_ask_for_it() -> None:
    metrics = Metrics()

    PolicyInForce(RESTRICTED, metrics).count(a_resource(), {}, (SECRET, OTHER_SECRET, PATCH))

    assert (count_of(metrics, "secrets"), count_of(metrics, "podPatch")) == (1, 1)


def test_a_spout_that_is_gone_is_forgotten_and_no_other() -> None:
    metrics = Metrics()
    policy = PolicyInForce(RESTRICTED, metrics)
    policy.count(a_resource(), {}, (PATCH,))

    policy.forget(a_key("another"))
    policy.count(a_resource(), {}, (PATCH,))
    assert count_of(metrics, "podPatch") == 1

    policy.forget(a_key())
    policy.count(a_resource(uid="made anew"), {}, (PATCH,))
    assert count_of(metrics, "podPatch") == 2


def count_of(metrics: Metrics, permission: str) -> float:
    labels = {"permission": permission}
    return metrics.registry.get_sample_value("spout_operator_policy_denials_total", labels) or 0
