"""Options that several commands have."""

import pathlib
from collections.abc import Callable
from typing import Any, TypeVar

import click

PREFIX = "SPOUT_OPERATOR_"
FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=pathlib.Path)

F = TypeVar("F", bound=Callable[..., Any])


def pachyderm(*, required: bool) -> Callable[[F], F]:
    """The options that say where Pachyderm is and how to be let in: `pachd_address`, `_ca_file` and `_token_file`."""
    decorators = (
        click.option(
            "--pachd-address",
            required=required,
            envvar=PREFIX + "PACHD_ADDRESS",
            show_envvar=True,
            metavar="URL",
            help="Pachyderm: grpc://HOST:PORT, or grpcs://HOST:PORT for TLS.",
        ),
        click.option(
            "--pachd-ca-file",
            type=FILE,
            envvar=PREFIX + "PACHD_CA_FILE",
            show_envvar=True,
            help="CA certificates (PEM) for grpcs; without it, those of certifi. Read again when it changes.",
        ),
        click.option(
            "--pachd-token-file",
            type=FILE,
            envvar=PREFIX + "PACHD_TOKEN_FILE",
            show_envvar=True,
            help="File with the Pachyderm auth token. Read again when it changes.",
        ),
    )

    def decorate(command: F) -> F:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate
