"""Pachyderm 1.13 over python-pachyderm 6.3.3, the only place that imports either it or gRPC."""
