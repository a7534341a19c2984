"""The health of objects by the code of Flux and Argo CD themselves (testbed/servers/flux and argocd)."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spout_testbed.programs import run

DEPLOY = Path(__file__).parents[3] / "deploy"
ARGOCD_CM = DEPLOY / "argocd" / "argocd-cm.yaml"
FLUX_WITH_EXPRESSIONS = DEPLOY / "flux" / "spouts-with-expressions.yaml"
Body = dict[str, Any]


def flux(bodies: Sequence[Body]) -> list[dict[str, str]]:
    """For each: the result of `kstatus`, and of the `expressions` of flux/spouts-with-expressions.yaml."""
    return _answer(run("flux", "status", str(FLUX_WITH_EXPRESSIONS), "spouts", input=json.dumps(bodies)))


def argocd(bodies: Sequence[Body], *action: str) -> list[dict[str, Any]]:
    """For each: its `health` with a `message`, the offered `actions`, and the `result` of an action."""
    return _answer(run("argocd", str(ARGOCD_CM), *action, input=json.dumps(bodies)))


def _answer(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
