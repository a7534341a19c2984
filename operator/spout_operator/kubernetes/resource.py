"""The resource: its group, version, kind and plural, as in crds/."""

GROUP = "spout-operator.io"
VERSION = "v1alpha1"
KIND = "Spout"
PLURAL = "spouts"
