"""Why a document does not become a Spout. No message quotes a value of it: it may be a password."""

from spout_operator.core.model import PipelineName


class NotImportedError(Exception):
    """Base of the three. The message names the pipeline where that is known, and goes on after the name of the file."""


class UnreadableError(NotImportedError):
    """A file cannot be read, or holds what is no pipeline spec."""


class UnfitError(NotImportedError):
    """A pipeline cannot become a Spout as it is."""

    def __init__(self, name: PipelineName, reason: str) -> None:
        super().__init__(f"the pipeline {name!r} {reason}")


class NoSpoutError(NotImportedError):
    """A pipeline is of another kind, and the operator makes spouts only."""

    def __init__(self, name: PipelineName, reason: str) -> None:
        super().__init__(f"the pipeline {name!r} is no spout: {reason}")
