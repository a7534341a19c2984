"""Runs Pachyderm spout pipelines from `Spout` resources."""

__version__ = "0.1.0"
