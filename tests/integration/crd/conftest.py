"""What the tests of the resource share."""

import pytest
from kubernetes import client

from spout_testbed.harness.spouts import Spouts


@pytest.fixture
def spouts(kube: client.ApiClient, namespace: str) -> Spouts:
    """The Spouts of the test's own namespace."""
    return Spouts(kube, namespace)
