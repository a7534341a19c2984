"""The health that Argo CD and Flux report for a Spout, in every state that the operator writes."""

import copy
import importlib.util
from pathlib import Path
from typing import Any

import lupa.lua51
import pytest
import yaml

from spout_operator.core.decision import Action
from spout_operator.core.status.health import FALSE, TRUE, UNKNOWN
from tests.packaging.gitops import testdata, verdicts
from tests.packaging.gitops.states import GENERATION, State, a_step, states, unseen

ARGOCD = Path(__file__).parents[3] / "deploy" / "argocd"
LUA = ARGOCD / "resource_customizations" / "spout-operator.io" / "Spout"
Body = dict[str, Any]

SANDBOX = """
os = {time = os.time, date = os.date}
package.loaded.os = os
string, math, io, debug, coroutine, python = nil
"""

every_state = pytest.mark.parametrize("state", states(), ids=lambda state: state.name)


def to_lua(runtime: lupa.lua51.LuaRuntime, value: Any) -> Any:
    """Convert as Argo CD does: maps and lists become tables, and nulls are left out."""
    if isinstance(value, dict):
        return runtime.table_from({key: to_lua(runtime, one) for key, one in value.items() if one is not None})
    if isinstance(value, list):
        return runtime.table_from([to_lua(runtime, one) for one in value])
    return value


def from_lua(value: Any) -> Any:
    if lupa.lua51.lua_type(value) != "table":
        return value
    if set(value.keys()) == set(range(1, len(value) + 1)) and len(value):
        return [from_lua(value[index]) for index in range(1, len(value) + 1)]
    return {key: from_lua(value[key]) for key in value.keys()}  # noqa: SIM118 - a Lua table is no mapping


def run(script: Path, body: Body) -> Any:
    """What a script returns for a Spout, in Lua 5.1 with the few libraries that Argo CD gives it.

    argo-cd 3.2, util/lua/lua.go: base, table, package, and of os the time and the date.
    """
    runtime = lupa.lua51.LuaRuntime(unpack_returned_tuples=True)
    runtime.execute(SANDBOX)
    runtime.globals().obj = to_lua(runtime, body)
    return from_lua(runtime.execute(script.read_text()))


def health(body: Body) -> tuple[str, str]:
    found = run(LUA / "health.lua", body)
    return found["status"], found["message"]


#: What can recover without a change of the Spout, and is no progress.
UNHEALTHY = {
    "PipelineCrashing",
    "ImagePullBackOff",
    "Unschedulable",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "UserCodeFailing",
    "OutputRefused",
}


def edited(body: Body, **metadata: Any) -> Body:
    changed = copy.deepcopy(body)
    changed["metadata"].update(metadata)
    return changed


def names() -> list[str]:
    return [f"{index} {state.name}" for index, state in enumerate(states())]


def wanted_health(state: State) -> str:
    if state.stalled:
        return "Degraded"
    if state.ready == TRUE:
        return "Suspended" if state.reason == "Suspended" else "Healthy"
    return "Degraded" if state.reason in UNHEALTHY else "Progressing"


def test_the_states_cover_every_condition_and_every_health() -> None:
    found = states()
    assert {state.ready for state in found} == {TRUE, FALSE, UNKNOWN}
    assert {wanted_health(state) for state in found} == {"Healthy", "Degraded", "Progressing", "Suspended"}


@every_state
def test_argo_cd_reports_the_health_that_the_conditions_state(state: State) -> None:
    status, message = health(state.body)
    assert status == wanted_health(state)
    assert message in {condition["message"] for condition in state.body["status"]["conditions"]}


@every_state
def test_an_edit_that_is_not_observed_yet_is_progressing_in_argo_cd(state: State) -> None:
    body = edited(state.body, generation=GENERATION + 1)
    assert health(body) == ("Progressing", "Waiting for the operator to observe the change")


@every_state
def test_a_spout_that_is_being_deleted_is_progressing_in_argo_cd(state: State) -> None:
    body = edited(state.body, deletionTimestamp="2026-11-22T22:00:00Z")
    assert health(body) == ("Progressing", "The Spout is being deleted")


def test_a_spout_that_no_operator_has_seen_is_progressing_in_argo_cd() -> None:
    assert health(unseen()) == ("Progressing", "Waiting for the operator to observe the Spout")


# ---- Flux


def wanted_by_flux(state: State) -> str:
    if state.stalled:
        return "Failed"
    return "Current" if state.ready == TRUE else "InProgress"


def test_kstatus_and_the_expressions_of_flux_agree() -> None:
    found = verdicts.flux([state.body for state in states()])
    wanted = [{"kstatus": wanted_by_flux(state), "expressions": wanted_by_flux(state)} for state in states()]
    assert dict(zip(names(), found, strict=True)) == dict(zip(names(), wanted, strict=True))


def test_flux_waits_for_an_edit_that_is_not_observed_yet() -> None:
    changed = [edited(state.body, generation=GENERATION + 1) for state in states()]
    assert verdicts.flux(changed) == [{"kstatus": "InProgress", "expressions": "InProgress"}] * len(changed)


def test_flux_waits_for_a_spout_that_is_being_deleted() -> None:
    deleted = [edited(state.body, deletionTimestamp="2026-11-22T22:00:00Z") for state in states()]
    assert {found["kstatus"] for found in verdicts.flux(deleted)} == {"Terminating"}


def test_flux_waits_for_a_spout_that_no_operator_has_seen() -> None:
    assert verdicts.flux([unseen()]) == [{"kstatus": "InProgress", "expressions": "InProgress"}]


# ---- Argo CD's own code, on what argocd-cm.yaml says


def test_argo_cd_reports_the_same_health_as_the_lua_files() -> None:
    bodies = [*(state.body for state in states()), unseen()]
    found = [(one["health"], one["message"]) for one in verdicts.argocd(bodies)]
    wanted = [health(body) for body in bodies]
    assert dict(zip((*names(), "unseen"), found, strict=True)) == dict(zip((*names(), "unseen"), wanted, strict=True))


def test_argo_cd_offers_and_runs_the_actions() -> None:
    for case in cases("actions/action_test.yaml", "discoveryTests"):
        (found,) = verdicts.argocd([read(case["inputPath"])])
        offered = {one["name"]: one.get("disabled", False) for one in found["actions"]}
        assert offered == {one["name"]: one.get("disabled", False) for one in case["result"]}, case
    for case in cases("actions/action_test.yaml", "actionTests"):
        (found,) = verdicts.argocd([read(case["inputPath"])], case["action"])
        assert found["result"] == read(case["expectedOutputPath"]), case


# ---- Argo CD's own files


def read(path: str) -> Body:
    found: Body = yaml.safe_load((LUA / "actions" / path).read_text())
    return found


def cases(file: str, key: str) -> list[Any]:
    found: list[Any] = yaml.safe_load((LUA / file).read_text())[key]
    return found


@pytest.mark.parametrize("case", cases("health_test.yaml", "tests"), ids=lambda case: str(case["inputPath"]))
def test_the_health_script_passes_argo_cds_own_tests(case: Body) -> None:
    body = yaml.safe_load((LUA / case["inputPath"]).read_text())
    assert health(body) == (case["healthStatus"]["status"], case["healthStatus"].get("message", ""))


@pytest.mark.parametrize(
    "case", cases("actions/action_test.yaml", "discoveryTests"), ids=lambda case: str(case["inputPath"])
)
def test_the_discovery_script_offers_the_actions_of_argo_cds_own_tests(case: Body) -> None:
    body = read(case["inputPath"])
    offered = run(LUA / "actions" / "discovery.lua", body)
    assert offered == {one["name"]: {"disabled": one.get("disabled", False)} for one in case["result"]}


@pytest.mark.parametrize(
    "case", cases("actions/action_test.yaml", "actionTests"), ids=lambda case: f"{case['action']} {case['inputPath']}"
)
def test_an_action_script_changes_a_spout_as_argo_cds_own_tests_say(case: Body) -> None:
    body = read(case["inputPath"])
    expected = read(case["expectedOutputPath"])

    found = run(LUA / "actions" / case["action"] / "action.lua", body)

    assert found == expected


def test_two_restarts_set_two_nonces() -> None:
    before = read("testdata/running.yaml")
    once = run(LUA / "actions" / "restart" / "action.lua", before)
    # The API server does this on an edit.
    once["metadata"]["generation"] += 1
    twice = run(LUA / "actions" / "restart" / "action.lua", once)
    assert once["spec"]["restartNonce"] != twice["spec"]["restartNonce"]


@pytest.mark.parametrize("path", testdata.files(), ids=lambda path: path.name)
def test_the_test_data_equal_what_the_operator_writes(path: Path) -> None:
    assert path.read_text() == testdata.files()[path], "run: make generate"


@pytest.mark.parametrize("action", Action)
def test_the_operator_decides_each_step_of_the_states(action: Action) -> None:
    assert a_step(action).action is action


def test_the_scripts_run_in_the_sandbox_of_argo_cd() -> None:
    runtime = lupa.lua51.LuaRuntime()
    runtime.execute(SANDBOX)
    assert runtime.eval("string == nil and math == nil and io == nil and os.execute == nil and os.date ~= nil")


def test_the_argocd_cm_patch_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make", ARGOCD / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ARGOCD / "argocd-cm.yaml").read_text() == module.patch(), "run: make generate"


def test_the_sync_waves_are_in_order_and_accept_a_crd_of_the_same_sync() -> None:
    operator, spouts = yaml.safe_load_all((ARGOCD / "applications.yaml").read_text())
    waves = [int(app["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]) for app in (operator, spouts)]
    assert waves == sorted(set(waves))
    assert "SkipDryRunOnMissingResource=true" in spouts["spec"]["syncPolicy"]["syncOptions"]
