"""The Kubernetes edge: kopf feeds the runtime, the official client writes for it."""
