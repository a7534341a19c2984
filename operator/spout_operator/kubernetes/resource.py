"""The resource: its group, version and plural, as in crds/."""

GROUP = "spout-operator.io"
VERSION = "v1alpha1"
PLURAL = "spouts"
