"""Pachyderm 2.8 to 2.12 over pachyderm-sdk 2.12.2, the only place that imports it."""
