"""The Spouts that Argo CD's own tests read. `make generate` writes them, from the operator's code."""

from pathlib import Path

import yaml

from tests.packaging.gitops.states import Body, states, unseen

LUA = Path(__file__).parents[3] / "deploy/argocd/resource_customizations/spout-operator.io/Spout"
HEALTH = {
    "healthy": "Running (1, 1)",
    "suspended": "Paused stopped (1, 1)",
    "progressing": "Running (0, 1)",
    "crashing": "Crashing (1, 1)",
    "failing": "user code fails",
    "refused": "output refused",
    "ended": "user code has ended",
    "stalled": "Stalled RepoExists",
    "denied": "runs, and the policy denies it",
    "unreachable": "Unreachable PachydermUnreachable",
}


def files() -> dict[Path, str]:
    """The wanted content of each file."""
    bodies = {state.name: state.body for state in states()}
    health = {LUA / "testdata" / f"{name}.yaml": bodies[state] for name, state in HEALTH.items()}
    running, suspended = bodies[HEALTH["healthy"]], bodies[HEALTH["suspended"]]
    nonce = f"generation-{running['metadata']['generation']}"
    actions = {
        "running": running,
        "suspend": {**running, "spec": {**running["spec"], "suspend": True}},
        "restart": {**running, "spec": {**running["spec"], "restartNonce": nonce}},
        "suspended": suspended,
        "resume": {**suspended, "spec": {key: one for key, one in suspended["spec"].items() if key != "suspend"}},
    }
    found = {LUA / "testdata" / "new.yaml": unseen(), **health}
    found |= {LUA / "actions" / "testdata" / f"{name}.yaml": body for name, body in actions.items()}
    return {path: _text(body) for path, body in found.items()}


def _text(body: Body) -> str:
    # Without anchors, which YAML would use for the shared parts of the bodies.
    dumper = type("Plain", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})
    return yaml.dump(body, Dumper=dumper, sort_keys=False, width=120)
