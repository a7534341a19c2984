"""What the suite needs on either side of the port besides the port itself: to do what users and outages do."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kubernetes import client

from spout_operator.core.errors import NamespaceUnavailable
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource
from spout_operator.kubernetes.spouts import KubernetesSpouts
from spout_operator.ports import Spouts
from spout_testbed import Testbed
from spout_testbed.forward import Forwarder
from spout_testbed.harness import spouts as over_the_client
from spout_testbed.harness.bodies import Body, a_spout
from tests.builders import a_spout_body
from tests.contract.calls import answer
from tests.contract.clients import an_api
from tests.fakes.memory_spouts import MemorySpouts

#: Finalizers that the API server accepts: the operator's, and one of somebody else.
FINALIZER, OTHER_FINALIZER = "spout-operator.io/pipeline", "example.com/other"


class Users(Protocol):
    """What users, administrators and outages do."""

    def create(self, name: str, **metadata: Any) -> Body:
        """Create a Spout; return it as it is then."""

    def edit(self, name: str) -> None:
        """Change the description in the spec."""

    def delete(self, name: str) -> None:
        """Ask for the deletion of a Spout."""

    def without_rights(self) -> Spouts:
        """The port for somebody who may not list the Spouts of the namespace."""

    def without_namespace(self) -> str:
        """The name of a namespace that does not exist."""

    def cut_off(self) -> None:
        """Let no request reach the server any more."""

    def lose_answer(self) -> None:
        """Let the next write of a status be made, and its answer be lost."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Side:
    """One side of the port: its methods, and what users do."""

    port: Spouts
    users: Users
    namespace: str

    def read(self, key: SpoutKey) -> SpoutResource | None:
        return answer(self.port.read, key)

    def versions(self, namespace: str | None) -> Mapping[SpoutKey, int]:
        return answer(self.port.versions, namespace)

    def write_status(self, key: SpoutKey, uid: str, status: Mapping[str, Any]) -> SpoutResource | None:
        return answer(self.port.write_status, key, uid, status)

    def write_finalizers(
        self, key: SpoutKey, uid: str, resource_version: str, finalizers: Sequence[str]
    ) -> SpoutResource | None:
        return answer(self.port.write_finalizers, key, uid, resource_version, finalizers)

    def key(self, name: str = "my-spout") -> SpoutKey:
        """The key of a Spout in the test's own namespace."""
        return SpoutKey(namespace=self.namespace, name=name)

    def found(self, name: str = "my-spout") -> SpoutResource:
        """A Spout that has to be there."""
        resource = self.read(self.key(name))
        assert resource is not None
        return resource

    def version(self, name: str = "my-spout") -> str:
        """The resource version of a Spout that has to be there."""
        return self.found(name).resource_version


class MemoryUsers:
    """The users of Spouts in memory."""

    def __init__(self, spouts: MemorySpouts, namespace: str) -> None:
        self._spouts = spouts
        self._namespace = namespace
        self._uids = 0

    def create(self, name: str, **metadata: Any) -> Body:
        self._uids += 1
        body = a_spout_body(name=name, namespace=self._namespace, uid=f"uid-{self._uids}", **metadata)
        return dict(self._spouts.resource(self._spouts.create(body)) or {})

    def edit(self, name: str) -> None:
        self._spouts.edit(self._key(name), description="edited")

    def delete(self, name: str) -> None:
        self._spouts.delete(self._key(name))

    def without_rights(self) -> Spouts:
        self._spouts.refusals[self._namespace] = NamespaceUnavailable("403 as asked for")
        return self._spouts

    def without_namespace(self) -> str:
        self._spouts.refusals["elsewhere"] = NamespaceUnavailable("404 as asked for", is_gone=True)
        return "elsewhere"

    def cut_off(self) -> None:
        self._spouts.is_down = True

    def lose_answer(self) -> None:
        self._spouts.lose_answers(1)

    def _key(self, name: str) -> SpoutKey:
        return SpoutKey(namespace=self._namespace, name=name)


class RealUsers:
    """The users of a real kube-apiserver, which the port reaches by way of a forwarder."""

    def __init__(self, bed: Testbed, kube: client.ApiClient, namespace: str, forwarder: Forwarder) -> None:
        self._bed = bed
        self._spouts = over_the_client.Spouts(kube, namespace)
        self._namespace = namespace
        self._forwarder = forwarder

    def create(self, name: str, **metadata: Any) -> Body:
        return self._spouts.create_whole(a_spout({"spout.marker": "offset"}, name=name, **metadata))

    def edit(self, name: str) -> None:
        self._spouts.edit(name, {"description": "edited"})

    def delete(self, name: str) -> None:
        self._spouts.delete(name)

    def without_rights(self) -> Spouts:
        return KubernetesSpouts(an_api(self._bed.kubeconfig_for("operator")))

    def without_namespace(self) -> str:
        return f"not-{self._namespace}"

    def cut_off(self) -> None:
        self._forwarder.close()

    def lose_answer(self) -> None:
        self._forwarder.silence(answers_only=True)
