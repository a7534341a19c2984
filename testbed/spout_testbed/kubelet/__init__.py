"""Runs the Pods of the workers: what a cluster's controller, scheduler and kubelet do with them."""
