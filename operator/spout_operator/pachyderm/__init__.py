"""Adapters to Pachyderm, one per major version."""
