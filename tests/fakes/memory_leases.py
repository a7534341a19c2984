"""A Lease in memory, with the API server's rule: a writer has to have read the newest version."""

import dataclasses
import itertools
import threading

from spout_operator.blocking import BlockingCalls, in_thread
from spout_operator.core.errors import Outdated, Retryable
from spout_operator.core.lease import Lease
from spout_operator.core.reasons import Reason

#: Seconds after which a held write continues by itself, so that a failed test ends.
PATIENCE = 10.0


class MemoryLeases:
    """The Lease on the server, for several replicas. `writes` lists the holders that were written, in order."""

    def __init__(self) -> None:
        self.lease: Lease | None = None
        self.writes: list[str] = []
        self.reads = 0
        self.is_down = False
        self.loses_answers = False
        self.may_write = threading.Event()
        self.may_write.set()
        self.writing = threading.Event()
        """Set once a write has come in."""
        self._versions = itertools.count(100)
        self._lock = threading.Lock()

    def read(self) -> Lease | None:
        self.reads += 1
        self._answer()
        return self.lease

    def write(self, lease: Lease) -> Lease:
        self._answer()
        self.writing.set()
        self.may_write.wait(PATIENCE)
        with self._lock:
            # A write to a deleted Lease creates it again, whatever version its writer read.
            if self.lease is not None and lease.version != self.lease.version:
                raise Outdated("409 Conflict")
            if lease != self.lease:
                self.lease = dataclasses.replace(lease, version=f"{next(self._versions)}")
            self.writes.append(lease.holder)
        if self.loses_answers:
            raise Retryable(Reason.INTERNAL_ERROR, "the answer was lost")
        return self.lease

    def _answer(self) -> None:
        if self.is_down:
            raise Retryable(Reason.INTERNAL_ERROR, "nobody answers")


class MemoryLeasesPort:
    """The port `Leases` of one replica."""

    def __init__(self, leases: MemoryLeases) -> None:
        self.calls = BlockingCalls("lease", threads=1)
        self._leases = leases

    @in_thread
    def read(self) -> Lease | None:
        return self._leases.read()

    @in_thread
    def write(self, lease: Lease) -> Lease:
        return self._leases.write(lease)

    def close(self) -> None:
        self.calls.close()
