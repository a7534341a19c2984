"""The right to make a request, which the leader alone has."""

from collections.abc import Callable

Permit = Callable[[], float]
"""Seconds for which a request may still be under way. Raises NotLeading where none may be made any more.

May be called from any thread. Both adapters ask it right before each request, and bound the request by the answer: a
process that was paused in between must not write when it goes on.
"""
