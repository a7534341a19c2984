"""Counts what the operator asked of the API server and of pachd, in their own words."""

import re
from collections import Counter
from pathlib import Path

from spout_testbed import Testbed

_SPOUT_REQUEST = re.compile(r'apiserver_request_total\{([^}]*resource="spouts"[^}]*)\} (\d+)')
_LABEL = re.compile(r'(\w+)="([^"]*)"')
#: pachd writes a line when a call comes in, and one with its duration when it is answered.
_PACHD_ANSWER = re.compile(r' INFO (\w+\.API\.\w+) \{"duration"')
_PACHYDERM_REQUEST = re.compile(r'spout_operator_pachyderm_requests_total\{code="(\w+)",method="(\w+)"\} ([\d.e+]+)')
WRITES = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE"})


def spout_writes(bed: Testbed) -> Counter[str]:
    """Write requests for Spouts that the API server has taken so far, by verb and subresource."""
    found: Counter[str] = Counter()
    for labels, count in _SPOUT_REQUEST.findall(bed.kubectl("get", "--raw", "/metrics").stdout):
        label = dict(_LABEL.findall(labels))
        if label["verb"] in WRITES:
            found[f"{label['verb']} {label['subresource']}".strip()] += int(count)
    return found


def pachd_calls(log: Path) -> Counter[str]:
    """Calls that a real pachd 1.13.4 has answered so far, by method; its own calls to itself are among them."""
    return Counter(_PACHD_ANSWER.findall(log.read_text(encoding="utf-8", errors="replace")))


def pachyderm_requests(metrics: str) -> Counter[tuple[str, str]]:
    """Requests to Pachyderm that have ended since the operator started, by method and code, from its metrics."""
    return Counter({(method, code): int(float(count)) for code, method, count in _PACHYDERM_REQUEST.findall(metrics)})
