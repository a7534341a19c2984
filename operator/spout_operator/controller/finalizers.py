"""The operator's finalizer: it keeps a Spout until its pipeline was seen to."""

from spout_operator.controller.cache import SpoutCache
from spout_operator.core.errors import Outdated
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource
from spout_operator.ports import Spouts

FINALIZER = "spout-operator.io/pipeline"


class Finalizers:
    """Writes finalizers, and takes the answers into the informer cache."""

    def __init__(self, *, cache: SpoutCache, spouts: Spouts) -> None:
        self._cache = cache
        self._spouts = spouts

    async def add(self, resource: SpoutResource) -> SpoutResource | None:
        """The Spout with the finalizer; None where the Spout is gone.

        Raises:
            Outdated: somebody else wrote to the Spout meanwhile.
        """
        return await self._write(resource, (*resource.finalizers, FINALIZER))

    async def remove(self, resource: SpoutResource) -> None:
        """Let the Spout go, as far as the operator is concerned.

        Raises:
            Outdated: somebody else wrote to the Spout meanwhile.
        """
        others = tuple(other for other in resource.finalizers if other != FINALIZER)
        await self._write(resource, others)
        if not others:
            # The last one was all that held it: the resource in the answer is gone.
            self._cache.drop(resource.key, uid=resource.uid)

    async def read_again(self, key: SpoutKey, *, uid: str) -> bool:
        """Bring the informer cache up to date with the API server; whether the Spout is still there."""
        found = await self._spouts.read(key)
        if found is None or found.uid != uid:
            self._cache.drop(key, uid=uid)
            return False
        self._cache.update(found)
        return True

    async def _write(self, resource: SpoutResource, finalizers: tuple[str, ...]) -> SpoutResource | None:
        key, uid = resource.key, resource.uid
        # The operator's status updates make new versions all the time; the finalizers are those of `resource`.
        newest = self._cache.get(key)
        is_same = newest is not None and (newest.uid, newest.finalizers) == (uid, resource.finalizers)
        version = (newest if newest is not None and is_same else resource).resource_version
        try:
            written = await self._spouts.write_finalizers(key, uid, version, finalizers)
        except Outdated:
            # The watch may be late with what somebody else wrote, and the next try must not fail for the same reason.
            await self.read_again(key, uid=uid)
            raise
        if written is None:
            self._cache.drop(key, uid=uid)
        else:
            self._cache.update(written)
        return written
