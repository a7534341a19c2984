"""The test bed: builds, starts and stops the real servers on which the tests run the operator."""

from spout_testbed.bed import Testbed
from spout_testbed.errors import TestbedError
from spout_testbed.kubelet.workers import Worker, Workers
from spout_testbed.namespaces import enter_argv
from spout_testbed.server import Server

__all__ = ["Server", "Testbed", "TestbedError", "Worker", "Workers", "enter_argv"]
