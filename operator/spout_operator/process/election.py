"""Leader election: of several replicas one acts, and it knows when it may not act any more."""

import asyncio
import datetime
import logging
import random
import time
from collections.abc import Callable

from spout_operator.core.errors import NotLeading, Outdated, SpoutError
from spout_operator.core.lease import RENEW_DEADLINE, RETRY_PERIOD, Lease, claim, released
from spout_operator.ports import Leases

logger = logging.getLogger(__name__)

#: Of the retry period, less at random: replicas that began together do not ask together.
JITTER = 0.1


def boot_time() -> float:
    """Seconds since the machine's start, those included in which it, or this process, was stopped."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Election:
    """One replica's part in it: `acquire`, then `hold`, then `release`.

    `permit` may be asked from any thread; all else belongs to the event loop.
    """

    def __init__(
        self,
        leases: Leases,
        *,
        name: str,
        identity: str,
        now: Callable[[], datetime.datetime],
        clock: Callable[[], float] = boot_time,
        retry_period: float = RETRY_PERIOD,
    ) -> None:
        """Take no part yet.

        Args:
            leases: the Lease.
            name: of the Lease, for messages.
            identity: of this replica, unlike any other's.
            now: the time of day, written into the Lease for people.
            clock: seconds; goes on while this process is stopped.
            retry_period: seconds between two tries to get or to renew the Lease.
        """
        self._leases = leases
        self._name = name
        self._identity = identity
        self._now = now
        self._clock = clock
        self._retry_period = retry_period
        self._seen: Lease | None = None
        self._seen_at = 0.0
        self._is_current = False
        """Whether what was seen is what this replica wrote last, so that it can be renewed without reading it first."""
        self._has_claimed = False
        """Whether a write of this replica's was sent, so that it may be the holder without knowing."""
        self._until = 0.0
        self.trouble: str | None = "the Lease has not been read yet"
        """What kept the last try from an answer; None where it got one, also "somebody else leads"."""
        self._last_try = clock()

    @property
    def is_leading(self) -> bool:
        """Whether this replica holds the Lease, and surely so."""
        return self._clock() < self._until

    @property
    def holder(self) -> str:
        """Who holds it, as far as is known; empty where nobody does."""
        return self._seen.holder if self._seen else ""

    @property
    def silent_for(self) -> float:
        """Seconds since the last try to get or renew the Lease ended."""
        return self._clock() - self._last_try

    def permit(self) -> float:
        """Seconds until somebody else may lead.

        Raises:
            NotLeading: this replica does not lead, or was stopped for so long that another may by now.
        """
        left = self._until - self._clock()
        if left <= 0:
            raise NotLeading(f"this replica no longer holds the Lease {self._name}; nothing is written")
        return left

    async def acquire(self) -> None:
        """Return when this replica leads."""
        while True:
            if await self._try():
                logger.info("leads: holds the Lease %s as %s", self._name, self._identity)
                return
            await asyncio.sleep(jittered(self._retry_period))

    async def hold(self) -> None:
        """Renew the Lease; returns only by an error.

        Raises:
            NotLeading: somebody else has it, or it could not be renewed in time.
        """
        while True:
            await asyncio.sleep(min(jittered(self._retry_period), max(self._until - self._clock(), 0)))
            await self._try()
            self.permit()

    async def release(self) -> None:
        """Leave the Lease to the next one. To be called when nothing this replica asked for is under way any more."""
        self._until = 0.0
        if not self._has_claimed:
            return
        try:
            if not self._is_current:
                await self._read()
            self._is_current = self._has_claimed = False
            await self._give_up()
        except SpoutError as error:
            logger.warning("could not release the Lease %s, so it has to run out: %s", self._name, error.message)

    def close(self) -> None:
        """Take no more part."""
        self._leases.close()

    async def _try(self) -> bool:
        """Get or renew the Lease; whether this replica holds it then."""
        begun = self._clock()
        try:
            if not self._is_current:
                await self._read()
            wanted = claim(self._identity, self._seen, unchanged_for=self._clock() - self._seen_at, now=self._now())
            self.trouble = None
            if wanted is None:
                self._until = 0.0
                return False
            self._has_claimed = True
            self._seen, self._seen_at = await self._leases.write(wanted), self._clock()
            self._is_current = True
            # From the beginning of the request: others measure from when the server took it, which is later.
            self._until = begun + RENEW_DEADLINE
        except Outdated:
            # Who was quicker is seen at the next try: it may have been this replica's own write, whose answer was lost.
            self._is_current = False
            return False
        except SpoutError as error:
            self.trouble = error.message
            logger.warning("%s", error.message)
            return False
        finally:
            self._last_try = self._clock()
        return True

    async def _give_up(self) -> None:
        try:
            await self._write_released()
        except Outdated:
            # A renewal was under way when this replica was told to end.
            await self._read()
            await self._write_released()

    async def _write_released(self) -> None:
        if self._seen is not None and self._seen.holder == self._identity:
            self._seen = await self._leases.write(released(self._seen, now=self._now()))
            logger.info("released the Lease %s", self._name)

    async def _read(self) -> None:
        found = await self._leases.read()
        if found != self._seen:
            self._seen, self._seen_at = found, self._clock()


def jittered(seconds: float) -> float:
    """`seconds` or less, by up to the part `JITTER` of it."""
    return seconds * (1 - JITTER * random.random())  # noqa: S311 - spreads load, keeps no secret
