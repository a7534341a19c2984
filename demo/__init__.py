"""`make demo`: shows and checks the main functions of the operator on real servers."""
