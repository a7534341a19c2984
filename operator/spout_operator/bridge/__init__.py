"""Turns the tar archives that a spout writes into a named pipe into commits of a store. Knows no framework and no SDK."""
