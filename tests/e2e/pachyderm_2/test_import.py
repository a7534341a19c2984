"""A spout that pachctl created, imported from the server, applied and adopted: it never stops for that."""

import json
from pathlib import Path

import yaml
from pachyderm_sdk import Client

from spout_testbed import Testbed
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.e2e.pachyderm_2.conftest import a_spec, numbers, up_to
from tests.e2e.pachyderm_2.test_lifecycle import inspected
from tests.import_command import run_import


def test_an_imported_spout_is_adopted_without_a_new_version_and_goes_on(
    spouts: Spouts, name: str, pachyderm: Client, source: Path, bed: Testbed
) -> None:
    spec = a_spec(source, limit=5)
    transform = {"image": spec["transform"]["image"], "cmd": spec["transform"]["cmd"], "env": spec["transform"]["env"]}
    document = {"pipeline": {"name": name}, "transform": transform, "spout": {}}
    bed.pachctl("create", "pipeline", "-f", "-", input=json.dumps(document))
    eventually(lambda: source.exists() and source.read_text() == "5", what="five commits", seconds=60)

    imported = run_import("--from-server", "--pachd-address", bed.pachd_address)
    bodies = {body["metadata"]["name"]: body for body in yaml.safe_load_all(imported)}
    bodies[name]["spec"]["adoptionPolicy"] = "IfUnowned"
    bed.kubectl("apply", "-n", spouts.namespace, "-f", "-", input=yaml.safe_dump(bodies[name]))
    spouts.wait(name, "to be adopted", ready="True", reason="Running", total=5)

    assert inspected(pachyderm, name).version == 1
    assert numbers(pachyderm, name) == up_to(5)
