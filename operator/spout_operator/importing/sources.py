"""Where pipelines are found: files, and a Pachyderm."""

import pathlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from spout_operator.core.model import Pipeline
from spout_operator.core.spec import manifest
from spout_operator.importing.candidate import Candidate, Note, visible_secrets
from spout_operator.importing.documents import MOST_BYTES, documents
from spout_operator.importing.errors import NoSpoutError, NotImportedError, UnreadableError
from spout_operator.importing.translation import candidate
from spout_operator.ports import Pachyderm

#: What a source yields: where a pipeline was found, for a message, and the pipeline or why it is none to import.
Found = tuple[str, Candidate | NotImportedError]

STANDARD_INPUT = "-"


def in_files(paths: Sequence[str], standard_input: BinaryIO) -> Iterator[Found]:
    """The pipelines of files, in their order; `-` is the standard input."""
    for path in paths:
        where = "standard input" if path == STANDARD_INPUT else path
        try:
            found = documents(_content(path, standard_input))
            if not found:
                raise UnreadableError("holds no pipeline spec")
        except NotImportedError as error:
            yield where, error
            continue
        for number, document in enumerate(found, start=1):
            yield where if len(found) == 1 else f"{where}, document {number}", _candidate(document)


def _candidate(document: object) -> Candidate | NotImportedError:
    try:
        return candidate(document)
    except NotImportedError as error:
        return error


def _content(path: str, standard_input: BinaryIO) -> bytes:
    """At most one byte more than is read."""
    try:
        if path == STANDARD_INPUT:
            return standard_input.read(MOST_BYTES + 1)
        with pathlib.Path(path).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except IsADirectoryError:
        raise UnreadableError("is a folder; name its files, for example FOLDER/*.json") from None
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror or error}") from None


async def on_server(pachyderm: Pachyderm) -> list[Found]:
    """The spouts of a Pachyderm, in the order of their names, and the pipelines of other kinds.

    Raises:
        SpoutError: Pachyderm does not tell.
    """
    server = await pachyderm.server()
    pipelines = await pachyderm.list()
    return [(server.address, _of_pipeline(pipelines[name])) for name in sorted(pipelines)]


def _of_pipeline(pipeline: Pipeline) -> Candidate | NotImportedError:
    if pipeline.spec is None:
        return NoSpoutError(pipeline.name, "it is of another kind, or Pachyderm cannot read its spec")
    spec = pipeline.spec
    return Candidate(
        name=pipeline.name,
        spec={**manifest.pipeline_fields(spec), "restartNonce": spec.restart_nonce},
        suspend=pipeline.stopped,
        notes=(
            *((Note.of_owner(str(pipeline.owner.spout)),) if pipeline.owner else ()),
            *visible_secrets(spec.transform.env),
        ),
    )
