"""Names under which Pachyderm can run a spout, and names that an object of Kubernetes can have."""

import re
import unicodedata

#: As in the CRD: a pipeline runs under the label pipeline-NAME-vN, and Kubernetes bounds a label.
MOST_CHARACTERS = 51
# Pachyderm takes capitals and underscores too, but names the Secret spout-pachctl-secret-NAME, which Kubernetes then
# refuses, and the pipeline fails (worker_rc.go createWorkerPachctlSecret). With a dash at the end it never gets past
# STARTING, as the label pipelineName=NAME is none.
_NAME = re.compile(rf"[a-z0-9]([a-z0-9-]{{0,{MOST_CHARACTERS - 2}}}[a-z0-9])?")
_ELSE = re.compile(r"[^a-z0-9-]+")

RULE = (
    f"at most {MOST_CHARACTERS} lower-case letters, digits and '-', "
    "of which the first and the last are a letter or digit"
)

#: Of a project, as in the CRD.
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,50}")
PROJECT_RULE = "the name of a project: at most 51 letters, digits, '_' and '-', the first a letter or digit"

#: As in the CRD: a DNS subdomain (RFC 1123).
_OBJECT = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_MOST_OF_OBJECT = 253
OBJECT_RULE = (
    f"the name of a Kubernetes object: at most {_MOST_OF_OBJECT} lower-case letters, digits, '-' and '.', "
    "the first and the last a letter or digit"
)


def is_object(name: str) -> bool:
    """Whether an object of Kubernetes, such as a Secret, can have this name."""
    return len(name) <= _MOST_OF_OBJECT and _OBJECT.fullmatch(name) is not None


def is_project(name: str) -> bool:
    """Whether a project can have this name."""
    return _PROJECT.fullmatch(name) is not None


def is_runnable(name: str) -> bool:
    """Whether a spout can run under this name."""
    return _NAME.fullmatch(name) is not None


def proposal(name: str) -> str:
    """The name closest to `name` that would do; empty where nothing is left of it."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _ELSE.sub("-", letters).strip("-")[:MOST_CHARACTERS].rstrip("-")
