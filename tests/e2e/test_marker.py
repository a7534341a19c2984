"""Every shape of marker, as the status shows it. The test writes them: Pachyderm 1.13 lets any client do so."""

import hashlib
from typing import Any

from spout_operator.pachyderm.v1.sdk import Client
from spout_testbed import Testbed
from spout_testbed.harness.spouts import Spouts, message
from spout_testbed.waiting import eventually
from tests.e2e.conftest import a_spec

IDLE = {"transform": {"env": {"LIMIT": "0"}}}


def shown(spouts: Spouts, name: str, pachyderm: Client) -> dict[str, Any]:
    """The marker in the status, as soon as it is that of the branch's head."""

    def look() -> dict[str, Any] | None:
        head = pachyderm.inspect_branch(name, "marker").head.id
        body = spouts.get(name)
        marker: dict[str, Any] = (body or {}).get("status", {}).get("marker", {})
        return marker if marker.get("commit") == head else None

    return eventually(look, what="the new marker to be shown", details=lambda: spouts.details(name))


def test_a_marker_file_is_shown_by_its_value_or_its_size_and_digest(
    spouts: Spouts, name: str, pachyderm: Client
) -> None:
    spouts.create(name, a_spec(**IDLE))
    status = spouts.wait(name, "to run", ready="True")
    assert "marker" not in status, "none was written yet"

    pachyderm.put_file_bytes((name, "marker"), "offset", b"1041\n", overwrite_index=None)
    marker = shown(spouts, name, pachyderm)
    assert (marker["value"], marker["summary"], marker["sizeBytes"]) == ("1041\n", "1041", 5)
    assert marker["updatedAt"]

    for content in (b"\x00\xff\x00\xff", b"x" * 2000):
        pachyderm.delete_file((name, "marker"), "offset")
        pachyderm.put_file_bytes((name, "marker"), "offset", content)
        marker = shown(spouts, name, pachyderm)
        assert "value" not in marker
        assert marker["sha256"] == hashlib.sha256(content).hexdigest()
        assert marker["sizeBytes"] == len(content)
        assert marker["summary"] == f"{len(content)} bytes {marker['sha256'][:8]}"


def test_a_marker_directory_is_listed_up_to_a_bound(spouts: Spouts, name: str, pachyderm: Client) -> None:
    spouts.create(name, a_spec(**IDLE))
    spouts.wait(name, "to run", ready="True")

    with pachyderm.put_file_client() as put:
        for partition in range(20):
            put.put_file_from_bytes((name, "marker"), f"offset/{partition:02d}", str(partition * 10).encode())

    marker = shown(spouts, name, pachyderm)
    assert marker["summary"] == "20 files"
    assert marker["filesTotal"] == 20
    files = marker["files"]
    assert len(files) == 16
    assert files[1] == {"path": "offset/01", "sizeBytes": 2, "value": "10"}


def test_a_deleted_marker_is_shown_as_none_with_a_true_message(
    spouts: Spouts, name: str, bed: Testbed, pachyderm: Client
) -> None:
    spouts.create(name, a_spec())
    spouts.wait(name, "five rounds", ready="True", marker="5", total=10)

    pachyderm.delete_file((name, "marker"), "offset")

    marker = shown(spouts, name, pachyderm)
    assert marker["summary"] == "none"
    assert "value" not in marker
    assert "holds no file or folder 'offset'" in marker["message"]
    spouts.wait(name, "to go on", ready="True", marker=None)

    # At its next start the worker fails before it runs the spout's code.
    spouts.edit(name, {"transform": {"env": {"LIMIT": "9"}}})
    status = spouts.wait(name, "its worker to fail", version=2, ready="False", reason="UserCodeFailing")
    assert f"file offset not found in repo {name}" in message(status, "Ready")
    assert status["commits"]["total"] == 10

    bed.pachctl("put", "file", f"{name}@marker:/offset", "-f", "-", input="5")

    spouts.wait(name, "to go on from there", ready="True", marker="9", total=18, seconds=120)
