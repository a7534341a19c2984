"""The level-triggered machinery: cache, queue, reconciler, poller, status writer. Knows the ports only."""
