"""A pachd 1.13.4 in memory that speaks the real gRPC, for faults and for scale.

It answers just the calls that the operator makes, in the words of the real one: `tests/contract` holds both to the
same suite.
"""

from tests.memory_pachd.server import MemoryPachd

__all__ = ["MemoryPachd"]
