"""The annotations in a pipeline's metadata that say which Spout it belongs to (docs/decisions/0003-ownership.md)."""

SPOUT = "spout-operator.io/spout"
CLUSTER = "spout-operator.io/cluster"
#: Not of the owner, but kept beside it: another value is a difference, and so restarts the spout.
RESTART_NONCE = "spout-operator.io/restart-nonce"
