"""`make bench`: measures the operator on real servers."""
