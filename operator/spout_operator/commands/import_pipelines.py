"""`spout-operator import`: pipeline specs, or the spouts of a Pachyderm, to manifests of Spouts."""

import pathlib
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from spout_operator.commands import options
from spout_operator.config import CommandError, PachdAddress

if TYPE_CHECKING:
    from spout_operator.importing.sources import Found

#: How the command ends, beside 0, and 2 for wrong usage.
NOT_IMPORTED, NO_SPOUT = 1, 3


@click.command("import")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "--from-server",
    is_flag=True,
    help="Import the spouts that run in a Pachyderm, instead of files. Nothing is changed there.",
)
@options.pachyderm(required=False)
@click.option(
    "--output",
    "-o",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    help="Write each manifest into a file of its own in this folder, NAME.yaml. Without it: to standard output.",
)
@click.option("--overwrite", is_flag=True, help="With --output: replace files that exist.")
def import_pipelines(
    *,
    files: tuple[str, ...],
    from_server: bool,
    pachd_address: str | None,
    pachd_ca_file: pathlib.Path | None,
    pachd_token_file: pathlib.Path | None,
    output: pathlib.Path | None,
    overwrite: bool,
) -> None:
    """Write a Spout manifest for each pipeline spec.

    A FILE is what `pachctl create pipeline -f` reads, or what `pachctl inspect pipeline --raw` and
    `pachctl list pipeline --raw` print: JSON or YAML, with one pipeline or several. `-` is the standard input.

    A manifest has no defaults. A comment names each field that a Spout does not have, and says why. Nothing is sent to
    a cluster: review the manifests, then run `kubectl diff` and `kubectl apply`.

    \b
    Exit status:
      0  Each pipeline has become a Spout. With --from-server: each spout.
      1  A file or a pipeline could not be imported. The others were.
      2  Wrong usage.
      3  A pipeline in the files is no spout. The others were imported.

    Standard error names what was not imported, and why.
    """  # noqa: D301 - \b keeps click from wrapping a paragraph
    if from_server == bool(files):
        raise click.UsageError("Name the files to import ('-' for standard input), or use --from-server.")
    if from_server and pachd_address is None:
        raise click.UsageError("--from-server needs --pachd-address.")
    if overwrite and output is None:
        raise click.UsageError("--overwrite needs --output.")
    from spout_operator.importing import sources  # noqa: PLC0415 - as in `cli`: --help answers without it

    try:
        found: Iterable[Found]
        if from_server and pachd_address is not None:
            found = _on_server(PachdAddress.parse(pachd_address), pachd_ca_file, pachd_token_file)
        else:
            found = sources.in_files(files, sys.stdin.buffer)
        sys.exit(_import(found, output, overwrite=overwrite, is_complete=not from_server))
    except CommandError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(NOT_IMPORTED)


def _on_server(address: PachdAddress, ca_file: pathlib.Path | None, token_file: pathlib.Path | None) -> "list[Found]":
    import asyncio  # noqa: PLC0415 - as above

    from spout_operator import assembly  # noqa: PLC0415 - the clients of Kubernetes and of Pachyderm: a second
    from spout_operator.core.errors import SpoutError, Unreachable  # noqa: PLC0415 - as above
    from spout_operator.importing import sources  # noqa: PLC0415 - as above

    pachyderm = assembly.pachyderm_to_read(address, ca_file=ca_file, token_file=token_file)
    try:
        return asyncio.run(sources.on_server(pachyderm))
    except SpoutError as error:
        # What pachd itself said may quote a spec. Of one that did not answer, only gRPC speaks.
        raise CommandError(error.unredacted if isinstance(error, Unreachable) else error.message) from error
    finally:
        pachyderm.close()


def _import(found: "Iterable[Found]", output: pathlib.Path | None, *, overwrite: bool, is_complete: bool) -> int:
    """Write what can be imported, tell of the rest.

    Returns:
        The exit status; a pipeline that is no spout counts only where `is_complete`.
    """
    from spout_operator.importing.collection import Collection  # noqa: PLC0415 - as above
    from spout_operator.importing.errors import NoSpoutError, NotImportedError  # noqa: PLC0415 - as above
    from spout_operator.importing.writing import to_yaml  # noqa: PLC0415 - as above

    collection, status = Collection(), 0
    for where, result in found:
        try:
            manifest = collection.add(where, result)
            text = to_yaml(manifest)
            if output is None:
                click.echo(f"---\n{text}", nl=False)
            else:
                click.echo(_write(output / f"{manifest.name}.yaml", text, overwrite=overwrite))
        except NoSpoutError as error:
            click.echo(f"Warning: {where}: {error}", err=True)
            status = status or (NO_SPOUT if is_complete else 0)
        except NotImportedError as error:
            click.echo(f"Error: {where}: {error}", err=True)
            status = NOT_IMPORTED
    return status


def _write(file: pathlib.Path, text: str, *, overwrite: bool) -> str:
    from spout_operator.importing.errors import NotImportedError  # noqa: PLC0415 - as above

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w" if overwrite else "x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise NotImportedError(f"{file} exists; --overwrite replaces it") from None
    except OSError as error:
        raise NotImportedError(f"{file} cannot be written: {error.strerror}") from None
    return str(file)
