"""What tests, demo and benchmarks share: Spouts as a user writes and handles them, and the operator's process."""
