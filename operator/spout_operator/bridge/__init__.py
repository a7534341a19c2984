"""Turns the tar archives that a spout writes into a named pipe into commits. Imports the standard library alone."""
