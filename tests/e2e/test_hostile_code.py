"""What the code of a spout gets of Pachyderm 1.13, whatever the policy says: docs/security.md."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spout_testbed import Testbed
from spout_testbed.harness.spouts import Spouts
from spout_testbed.pachd import STORAGE_SECRET
from tests.e2e.hostile_spout import HostileSpout

CODE = Path(__file__).with_name("hostile_code.py")


@pytest.fixture
def secrets(bed: Testbed) -> Iterator[None]:
    """A Secret of somebody else, and a key of an object store, both in Pachyderm's namespace until the end."""
    here = ("-n", bed.pachyderm_namespace)
    bed.kubectl("create", "secret", "generic", "private", "--from-literal=password=theirs", *here)
    bed.kubectl("patch", f"secret/{STORAGE_SECRET}", '--patch={"stringData":{"amazon-secret":"key"}}', *here)
    yield
    bed.kubectl("patch", f"secret/{STORAGE_SECRET}", '--patch={"data":{"amazon-secret":null}}', *here)
    bed.kubectl("delete", "secret/private", *here)


@pytest.mark.usefixtures("secrets")
def test_the_code_gets_what_the_policy_refuses_to_a_spout(
    bed: Testbed, spouts: Spouts, name: str, tmp_path: Path
) -> None:
    bed.pachctl("create", "repo", "other")
    bed.pachctl("put", "file", "other@master:/private", "-f", "-", input="theirs")

    spout = HostileSpout(spouts, name, code=CODE, folder=tmp_path / "answers")

    assert spout.gets() == {
        "the storage Secret": True,
        "a variable with a key of the storage Secret": True,
        "connect to etcd": True,
        "connect to the API server": True,
        "Pachyderm: another repo": "theirs",
        "Pachyderm: a Secret that a pipeline mounts": ["password"],
    }
