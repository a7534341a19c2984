"""Test beds follow each other, and each starts empty."""

import os
import socket

import pytest

from spout_testbed import Testbed, TestbedError
from spout_testbed.network import APISERVER_PORT, ETCD_PORT, LOOPBACK, port_answers


def test_a_test_bed_after_another_starts_empty() -> None:
    with Testbed.start() as first:
        first.kubectl("create", "namespace", "only-in-the-first")
    assert not port_answers(APISERVER_PORT)
    assert not port_answers(ETCD_PORT)
    with Testbed.start() as second:
        assert "only-in-the-first" not in second.kubectl("get", "namespaces").stdout
        assert second.folder != first.folder
        assert str(second.folder).startswith(os.environ["SPOUT_TESTBED_RUN_DIR"])


def test_a_server_that_was_not_requested_is_refused_with_the_way_to_request_it() -> None:
    with Testbed.start() as bed:
        with pytest.raises(TestbedError, match=r"Testbed\.start\(pachyderm='1\.13'\)"):
            _ = bed.pachd_address
        with pytest.raises(TestbedError, match=r"Testbed\.start\(kafka=True\)"):
            _ = bed.kafka_bootstrap


def test_a_server_that_does_not_come_up_leaves_nothing_running() -> None:
    with (
        socket.create_server((LOOPBACK, APISERVER_PORT)),
        pytest.raises(TestbedError, match=r"(?s)kube-apiserver ended with exit code .*address already in use"),
        Testbed.start(),
    ):
        pass
    assert not port_answers(ETCD_PORT)
