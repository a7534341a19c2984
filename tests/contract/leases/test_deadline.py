"""A request for the Lease ends well before the Lease does."""

from spout_operator.core.lease import DURATION, RENEW_DEADLINE
from spout_operator.kubernetes.leases import DEADLINE


def test_a_request_ends_before_its_holder_has_to_stop_and_the_lease_ends() -> None:
    assert sum(DEADLINE) < RENEW_DEADLINE < DURATION
