"""The real servers of all suites: one test bed, as only one can run at a time.

python -m pytest tests/contract -k memory                                 # no servers needed
python -m spout_testbed run -- python -m pytest tests/contract            # both
"""

from collections.abc import Iterator

import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.harness.cluster import a_namespace, administrator, install_crd
from spout_testbed.versions import under_test

#: The names of the spouts that run on 1.13.4 begin with this.
RUNS_FOR_REAL = "running-"


@pytest.fixture(scope="session")
def real_bed() -> Iterator[Testbed]:
    """A test bed with a real pachd of each version. Fails outside the test bed, and says how to get there."""
    with Testbed.start(pachyderm=under_test()) as bed:
        if "1.13" in under_test():
            # The suite plays most spouts itself; a real one would delete the open commits that it makes.
            bed.pachyderm("1.13").workers.runs = lambda pipeline: pipeline.startswith(RUNS_FOR_REAL)
        yield bed


@pytest.fixture(scope="session")
def kube(real_bed: Testbed) -> Iterator[client.ApiClient]:
    """The administrator's client of a real kube-apiserver that serves Spouts."""
    install_crd(real_bed)
    with administrator(real_bed) as kube:
        yield kube


@pytest.fixture
def namespace(kube: client.ApiClient) -> Iterator[str]:
    """A namespace of the test's own on the real kube-apiserver."""
    with a_namespace(kube, "contract") as name:
        yield name
