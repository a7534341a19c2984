"""The operator never reveals a password in an environment variable: not in a status, not in a log of any level."""

import json

import grpc
import pytest

from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

KEY = '-----BEGIN KEY-----\nMIIEowIBAAKCAQEA0451\n  two  blanks, "quotes" and back\\slashes\n-----END KEY-----\n'
SPEC = a_spec({"transform.env": {"KEY": KEY}, "spout.marker": "offset"})
SAID = f"cannot use {json.dumps(KEY)}, that is\n{KEY}"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_key_of_several_lines_is_in_no_status_and_no_log_line(
    stopped_operator: OperatorProcess, spouts: Spouts, pachd: MemoryPachd, log_format: str
) -> None:
    stopped_operator.launch("--log-level=debug", f"--log-format={log_format}")
    pachd.fail("CreatePipeline", grpc.StatusCode.UNKNOWN, f"invalid pipeline spec: {SAID}", times=9)
    spouts.create("one", SPEC)
    refused = spouts.wait("one", "to be refused", stalled="True", reason="PipelineRejected")
    pachd.fail("ListPipeline", grpc.StatusCode.UNKNOWN, SAID, times=9)
    failed = spouts.wait("one", "to show the outage", reason="PachydermError")
    eventually(lambda: pachd.calls["ListPipeline"] > 12, what="the end of the outage", seconds=20)
    stopped_operator.stop()

    told = str(refused) + str(failed) + stopped_operator.log.read_text()
    assert "cannot use" in str(refused)
    assert "cannot use" in stopped_operator.log.read_text()
    assert [piece for line in KEY.splitlines() for piece in (line, line[:8], line[-8:]) if piece in told] == []
