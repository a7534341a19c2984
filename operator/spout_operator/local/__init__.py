"""A Spout on one machine, without Kubernetes and without Pachyderm."""
