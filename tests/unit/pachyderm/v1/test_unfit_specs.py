"""What a Spout can ask for and Pachyderm 1.13.4 could not run is found without a request to it."""

import json

import pytest

from spout_operator.core.errors import Stalled
from spout_operator.core.reasons import Reason
from spout_operator.core.spec.parsing import parse_spout
from spout_operator.pachyderm.v1.backend import PachydermV1
from tests.builders import a_name, a_resource
from tests.memory_pachd import MemoryPachd


def patched(*operations: object) -> dict[str, object]:
    return {"podPatch": json.dumps(operations)}


NULL = {"op": "add", "path": "/affinity", "value": None}
#: The first three end pachd 1.13.4, the others end in FAILURE.
UNFIT = [
    pytest.param(patched({"op": "replace", "path": "/containers/-1/image", "value": "x"}), "-1", id="negative-index"),
    pytest.param(patched(NULL, {"op": "add", "path": "/affinity/nodeAffinity", "value": {}}), "null", id="below-null"),
    pytest.param(patched({"op": "test", "path": "/affinity"}), "no value", id="test-without-value"),
    pytest.param(patched({"op": "remove", "path": "/affinity"}), "operation 1 of 1", id="does-not-apply"),
    pytest.param({"resourceLimits": {"memory": "32Mi"}}, "64M", id="little-memory"),
]


@pytest.mark.parametrize(("spec", "says"), UNFIT)
async def test_a_spec_that_pachyderm_could_not_run_is_invalid_and_never_reaches_it(
    pachd: MemoryPachd, adapter: PachydermV1, spec: dict[str, object], says: str
) -> None:
    with pytest.raises(Stalled) as caught:
        await adapter.check(a_name(), parse_spout(a_resource(spec)).spec)

    assert caught.value.reason is Reason.INVALID_SPEC
    assert says in caught.value.message
    assert not pachd.calls
