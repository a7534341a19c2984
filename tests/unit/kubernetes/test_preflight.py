"""The preflight checks refuse a cluster that does not have what the operator needs."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from spout_operator.config import ConfigError, LeaseName
from spout_operator.kubernetes import crd
from spout_operator.kubernetes.errors import ClusterError
from spout_operator.kubernetes.preflight import check_version

Crd = dict[str, Any]
ESTABLISHED = {"conditions": [{"type": "Established", "status": "True"}]}


def properties(found: Crd, *path: str) -> dict[str, Any]:
    schema = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for name in path:
        schema = schema["properties"][name]
    inner: dict[str, Any] = schema["properties"]
    return inner


def without(*path: str) -> Callable[[Crd], object]:
    return lambda found: properties(found, *path[:-1]).pop(path[-1])


def unserved(found: Crd) -> None:
    found["spec"]["versions"][0]["served"] = False


def with_more(found: Crd) -> None:
    properties(found, "spec")["somethingNew"] = {"type": "string"}


def as_it_is(_: Crd) -> None:
    pass


def in_cluster(change: Callable[[Crd], object]) -> Crd:
    found = copy.deepcopy(crd.own())
    found["status"] = ESTABLISHED
    change(found)
    return found


@pytest.mark.parametrize("change", [as_it_is, with_more], ids=["the same", "a newer one, which knows more"])
def test_a_crd_with_every_field_is_accepted(change: Callable[[Crd], object]) -> None:
    crd.check(in_cluster(change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(without("spec", "deletionPolicy"), "it lacks spec.deletionPolicy;", id="a field of the spec"),
        pytest.param(without("status", "marker"), "it lacks status.marker;", id="a field of the status"),
        pytest.param(
            without("spec", "transform", "secrets"), "it lacks spec.transform.secrets;", id="a field further down"
        ),
        pytest.param(without("status"), "it lacks status;", id="all of the status"),
        pytest.param(unserved, "does not serve v1alpha1", id="another version only"),
        pytest.param(lambda found: found.pop("status"), "not established yet", id="one that is being installed"),
    ],
)
def test_a_crd_without_a_field_is_refused_with_the_field_and_the_remedy(
    change: Callable[[Crd], object], said: str
) -> None:
    with pytest.raises(ClusterError) as caught:
        crd.check(in_cluster(change))
    assert said in str(caught.value)


def test_the_fields_of_list_items_are_checked_too() -> None:
    found = in_cluster(as_it_is)
    properties(found, "status")["conditions"]["items"]["properties"].pop("reason")

    with pytest.raises(ClusterError, match=r"status\.conditions\[\]\.reason"):
        crd.check(found)


def test_many_missing_fields_are_counted_in_the_message() -> None:
    found = in_cluster(as_it_is)
    properties(found, "status").clear()
    properties(found, "spec").clear()

    with pytest.raises(ClusterError, match=r"and \d+ more; update it: .*kubectl apply --server-side.*helm upgrade"):
        crd.check(found)


@pytest.mark.parametrize(
    ("major", "minor"), [("1", "29"), ("1", "29+"), ("1", "36"), ("2", "0")], ids=lambda part: part
)
def test_a_server_that_is_new_enough_is_accepted(major: str, minor: str) -> None:
    check_version({"major": major, "minor": minor, "gitVersion": f"v{major}.{minor}"})


@pytest.mark.parametrize("minor", ["28", "28+", "9"])
def test_a_server_that_is_too_old_is_told(minor: str) -> None:
    with pytest.raises(ClusterError, match=rf"v1\.{minor[:-1]}.*needs 1\.29 or later"):
        check_version({"major": "1", "minor": minor, "gitVersion": f"v1.{minor}"})


@pytest.mark.parametrize("text", ["", "lease", "/lease", "ns/", "ns/a/b", "Ns/lease", "ns/lease-"])
def test_a_malformed_lease_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected NAMESPACE/NAME"):
        LeaseName.parse(text)
