"""The operator's logs for a collector, and its traces where an endpoint is configured."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.harness.bodies import a_spec
from spout_testbed.harness.operator_process import OperatorProcess
from spout_testbed.harness.spouts import Spouts
from spout_testbed.waiting import eventually
from tests.memory_pachd import MemoryPachd

SPEC = a_spec({"spout.marker": "offset"})


@pytest.fixture
def collector() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A collector of spans, as OTLP in JSON: its address, and what it received."""
    spans: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in body["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    spans.extend(scope["spans"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", spans
        server.shutdown()
        thread.join()


@pytest.fixture
def traced(
    bed: Testbed, rights: None, pachd: MemoryPachd, tmp_path: Path, collector: tuple[str, list[dict[str, Any]]]
) -> OperatorProcess:
    """An operator that sends its traces to the collector, and logs as JSON."""
    return OperatorProcess(
        kubeconfig=bed.kubeconfig_for_account("spout-operator", "spout-operator"),
        pachd_address=pachd.address,
        log=tmp_path / "operator.log",
        flags=("--log-format=json",),
        environment={"OTEL_EXPORTER_OTLP_ENDPOINT": collector[0], "OTEL_BSP_SCHEDULE_DELAY": "200"},
    )


def test_a_reconcile_and_its_requests_are_one_trace_and_its_log_lines_name_it(
    traced: OperatorProcess,
    kube: client.ApiClient,
    namespace: str,
    collector: tuple[str, list[dict[str, Any]]],
) -> None:
    spouts = Spouts(kube, namespace, traced.log)
    with traced:
        spouts.create("one", SPEC)
        spouts.wait("one", "to be made", synced="True")
        wanted = "pachyderm CreatePipeline"
        eventually(lambda: wanted in [span["name"] for span in collector[1]], what="the span of the create")
        spouts.delete("one")
        spouts.wait_gone("one")

    spans = {span["spanId"]: span for span in collector[1]}
    (created,) = [span for span in spans.values() if span["name"] == "pachyderm CreatePipeline"]
    parent = spans[created["parentSpanId"]]
    assert parent["name"] == "reconcile"
    assert {"key": "spout.name", "value": {"stringValue": "one"}} in parent["attributes"]
    lines = [json.loads(line) for line in traced.log.read_text().splitlines()]
    assert created["traceId"] in {line.get("trace.id") for line in lines}


def test_each_transition_is_one_line_with_the_keys_of_the_elastic_common_schema(
    traced: OperatorProcess, kube: client.ApiClient, namespace: str
) -> None:
    spouts = Spouts(kube, namespace, traced.log)
    with traced:
        spouts.create("one", SPEC)
        spouts.wait("one", "to be made", synced="True")
        spouts.delete("one")
        spouts.wait_gone("one")

    lines = [json.loads(line) for line in traced.log.read_text().splitlines()]
    transitions = [line for line in lines if line.get("event.action") == "transition"]
    assert [line["event.reason"] for line in transitions] == ["Pending", "Creating", "Starting"]
    for line in transitions:
        assert line["@timestamp"].endswith("Z")
        assert line["log.level"] == "INFO"
        assert line["orchestrator.namespace"] == namespace
        assert line["orchestrator.resource.name"] == "one"
        assert line["service.name"] == "spout-operator"
        assert line["ecs.version"]
