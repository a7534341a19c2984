"""A real kube-apiserver that knows the Spout resource, and a namespace in it for each test."""

from collections.abc import Iterator

import pytest
from kubernetes import client

from spout_testbed import Testbed
from spout_testbed.harness.cluster import CRD_NAME, a_namespace, administrator, install_crd


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    """The servers: etcd and kube-apiserver, without Pachyderm."""
    with Testbed.start() as bed:
        yield bed


@pytest.fixture(scope="session")
def crd(bed: Testbed) -> str:
    """Name of the CustomResourceDefinition, installed, served and documented."""
    install_crd(bed)
    return CRD_NAME


@pytest.fixture(scope="session")
def kube(bed: Testbed, crd: str) -> Iterator[client.ApiClient]:
    """The administrator's client of an API server that serves Spouts."""
    with administrator(bed) as kube:
        yield kube


@pytest.fixture
def namespace(kube: client.ApiClient) -> Iterator[str]:
    """A new namespace for each test."""
    with a_namespace(kube) as name:
        yield name
