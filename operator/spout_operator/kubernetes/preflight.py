"""Sees, before anything starts, that the cluster is as the operator needs it: it starts whole or not at all."""

import http
import logging
import re
from collections.abc import Sequence
from typing import Any

from spout_operator.core.errors import Retryable
from spout_operator.kubernetes import crd
from spout_operator.kubernetes.api import Answer, Api, ApiError
from spout_operator.kubernetes.errors import ClusterError
from spout_operator.kubernetes.resource import GROUP, PLURAL, VERSION

logger = logging.getLogger(__name__)

#: The rules of the CRD need the CEL library for quantities (Kubernetes 1.29).
OLDEST = (1, 29)

RIGHTS = "the overlays of deploy/, or the chart with rbac.create=true, grant it"
#: The right to see a namespace is in a Role in it, which goes with it.
NO_ROLE = (
    "it is not there, or has no Role for the operator: make it and give it one (`helm upgrade`, or the overlay of "
    "deploy/ again), or watch other ones"
)
NAMESPACES = "/api/v1/namespaces"


def check(api: Api, namespaces: Sequence[str]) -> None:
    """See that the API server is new enough, that the CRD is too, and that Spouts can be listed.

    Args:
        api: the API server.
        namespaces: those that are to be watched; none for all.

    Raises:
        ClusterError: something is not; the message says what is missing, and what to do. Of several namespaces, one
            that can be watched is enough.
    """
    check_version(_get(api, "/version", "the version of the API server", resource="version"))
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd.NAME}"
    crd.check(_get(api, path, f"the CRD {crd.NAME}", resource="customresourcedefinitions"))
    if not namespaces:
        _list_spouts(api, None)
        return
    refused = [error for namespace in namespaces if (error := _refusal(api, namespace)) is not None]
    if len(refused) == len(namespaces):
        raise refused[0]
    for error in refused:
        # It costs only its own Spouts, and may come back: /readyz says so until then.
        logger.warning("%s; the other namespaces are watched", error)


def _refusal(api: Api, namespace: str) -> ClusterError | None:
    """Why a namespace cannot be watched; None where it can."""
    what = f"the namespace {namespace!r} (--namespace)"
    try:
        _get(api, f"{NAMESPACES}/{namespace}", what, resource="namespaces", if_forbidden=NO_ROLE)
        _list_spouts(api, namespace)
    except ClusterError as error:
        return error
    return None


def _list_spouts(api: Api, namespace: str | None) -> None:
    place = f"namespaces/{namespace}/" if namespace is not None else ""
    what = f"the Spouts of {place.removesuffix('/') or 'all namespaces'}"
    _get(api, f"/apis/{GROUP}/{VERSION}/{place}{PLURAL}", what, resource=PLURAL, verb="list", query={"limit": "1"})


def check_events(api: Api, namespaces: Sequence[str]) -> None:
    """Log where the operator may not write Events. It works without them, so that is no reason not to start.

    Args:
        api: the API server.
        namespaces: those that are watched; none for all.
    """
    for namespace in namespaces or [""]:
        refused = [verb for verb in ("create", "patch") if not _may(api, verb, namespace)]
        if refused:
            logger.warning(
                "the operator may not %s Events of events.k8s.io in %s, so `kubectl describe spout` will not show "
                "all of them; %s",
                " and ".join(refused),
                f"the namespace {namespace!r}" if namespace else "all namespaces",
                RIGHTS,
            )


def _may(api: Api, verb: str, namespace: str) -> bool:
    """Whether the API server's authorizer allows a verb on Events; True also where it does not tell."""
    attributes = {"verb": verb, "group": "events.k8s.io", "resource": "events", "namespace": namespace}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    path, doing = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", f"ask for the right to {verb} Events"
    try:
        found: Answer = api.request("create", path, doing=doing, resource="selfsubjectaccessreviews", body=body)
    except Retryable as error:
        # Whoever may not ask can still write: the first Event will tell.
        logger.warning("%s", error.message)
        return True
    return bool(found["status"]["allowed"])


def check_version(found: dict[str, Any]) -> None:
    """See that a server is not older than what is supported.

    Args:
        found: what /version answers; `minor` may have a suffix, as in "29+".

    Raises:
        ClusterError: it is older.
    """
    version = tuple(int(re.sub(r"\D.*", "", str(found[part])) or 0) for part in ("major", "minor"))
    if version < OLDEST:
        raise ClusterError(
            f"the API server is Kubernetes {found.get('gitVersion', '.'.join(map(str, version)))}; "
            f"this operator needs {OLDEST[0]}.{OLDEST[1]} or later, whose CRDs can check quantities"
        )


def cluster_uid(api: Api) -> str:
    """The identity of the cluster: the uid of its namespace kube-system, which is never made anew.

    Raises:
        ClusterError: it may not be read.
    """
    try:
        found = _get(
            api,
            f"{NAMESPACES}/kube-system",
            "the namespace kube-system, whose uid is the cluster's",
            resource="namespaces",
        )
    except ClusterError as error:
        raise ClusterError(f"{error}; or give --cluster-id") from error
    return str(found["metadata"]["uid"])


def _get(
    api: Api,
    path: str,
    what: str,
    *,
    resource: str,
    verb: str = "get",
    query: dict[str, str] | None = None,
    if_forbidden: str = RIGHTS,
) -> dict[str, Any]:
    try:
        return api.request(verb, path, doing=f"read {what}", resource=resource, query=query)
    except ApiError as error:
        if error.status == http.HTTPStatus.FORBIDDEN:
            raise ClusterError(f"the operator may not {verb} {what}; {if_forbidden}") from error
        if error.status == http.HTTPStatus.NOT_FOUND:
            raise ClusterError(f"the cluster does not have {what}; {_remedy(resource)}") from error
        raise ClusterError(error.message) from error
    except Retryable as error:
        raise ClusterError(f"the API server at {api.host} does not answer: {error.message}") from error


def _remedy(resource: str) -> str:
    if resource == "namespaces":
        return "make it first, or watch other ones"
    return "install the CRD first: `kubectl apply --server-side -k crds`, or the chart with crds.install=true"
