"""What run-local is to run, read from the manifest and checked before anything starts."""

import dataclasses
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from spout_operator.config import CommandError
from spout_operator.core.errors import Stalled
from spout_operator.core.model import SpoutOptions, Transform
from spout_operator.core.resource import SpoutResource
from spout_operator.core.spec.parsing import parse_spout
from spout_operator.local import schema

#: The variable that holds the folder of the pipe: /pfs, or where it is on a machine that has no mount namespaces.
PFS_VARIABLE = "SPOUT_PFS"


class InvalidSpout(CommandError):  # noqa: N818 - named as what was found
    """The manifest holds no Spout that an API server accepts."""


class CannotStart(CommandError):  # noqa: N818 - named as what happened
    """The command of the Spout cannot be started on this machine."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A Spout on this machine: its command, its environment (with all Secrets), the Secrets that are mounted."""

    name: str
    transform: Transform
    options: SpoutOptions
    working_dir: Path
    env: Mapping[str, str] = dataclasses.field(repr=False)
    mounts: Mapping[Path, Path]
    notes: tuple[str, ...]


def read(file: Path, *, name: str | None, env: Mapping[str, str], secrets: Mapping[str, Path]) -> Plan:
    """Read the Spout `name` of a manifest, or its only one.

    Args:
        file: YAML, of one or several documents.
        name: metadata.name; None if there is only one Spout.
        env: variables beside those of the Spout, which they replace.
        secrets: a folder for each Secret, with a file for each key.

    Raises:
        InvalidSpout: with each field, as the API server names it.
        CannotStart: a Secret is not given, or the program is not on this machine.
    """
    body = _body(file, name)
    if found := schema.findings(body):
        raise InvalidSpout(_refusal(body, found))
    # As the API server would complete it; none of it is used.
    stored = {"namespace": "default", "uid": "", "resourceVersion": "", "creationTimestamp": ""}
    try:
        spout = parse_spout(SpoutResource.from_body({**body, "metadata": {**stored, **body["metadata"]}}))
    except Stalled as error:
        raise InvalidSpout(_refusal(body, error.message.split("; spec."))) from error
    transform = spout.spec.transform
    notes = []
    working_dir = Path(transform.working_dir or file.parent).absolute()
    if not working_dir.is_dir():
        notes.append(f"{working_dir} is not a folder here; the command runs in {file.parent.absolute()}")
        working_dir = file.parent.absolute()
    if transform.user:
        notes.append("spec.transform.user has no effect here; the command runs as you")
    variables, mounts = _secrets(transform, secrets)
    environment = {**os.environ, **transform.env, **variables, **env}
    _find_program(transform.cmd[0], working_dir, environment)
    return Plan(
        name=spout.pipeline_name.name,
        transform=transform,
        options=spout.spec.spout,
        working_dir=working_dir,
        env=environment,
        mounts=mounts,
        notes=tuple(notes),
    )


def _body(file: Path, name: str | None) -> dict[str, Any]:
    try:
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise InvalidSpout(f"{file}: is no YAML file that can be read: {' '.join(str(error).split())}") from error
    spouts = [
        document
        for document in documents
        if isinstance(document, dict)
        and document.get("kind") == "Spout"
        and document.get("apiVersion") == "spout-operator.io/v1alpha1"
    ]
    names = [str((spout.get("metadata") or {}).get("name")) for spout in spouts]
    if not spouts:
        raise InvalidSpout(f"{file}: holds no Spout; expected apiVersion spout-operator.io/v1alpha1 and kind Spout")
    if name is None and len(spouts) > 1:
        raise InvalidSpout(f"{file}: holds {len(spouts)} Spouts; choose one with --name: {', '.join(names)}")
    if name is not None and name not in names:
        raise InvalidSpout(f"{file}: holds no Spout {name!r}; it holds {', '.join(names)}")
    return spouts[names.index(name) if name is not None else 0]


def _refusal(body: Mapping[str, Any], found: list[str]) -> str:
    name = (body.get("metadata") or {}).get("name")
    lines = "".join(f"\n  {line}" for line in found)
    return f"the Spout {name!r} is invalid:{lines}"


def _secrets(transform: Transform, given: Mapping[str, Path]) -> tuple[dict[str, str], dict[Path, Path]]:
    variables: dict[str, str] = {}
    mounts: dict[Path, Path] = {}
    missing = sorted({secret.name for secret in transform.secrets} - given.keys())
    if missing:
        raise CannotStart(
            f"spec.transform.secrets: names {', '.join(missing)}; give each Secret as a folder with one file for each "
            f"key: --secret {missing[0]}=FOLDER"
        )
    for secret in transform.secrets:
        folder = given[secret.name]
        if not folder.is_dir():
            raise CannotStart(f"--secret {secret.name}={folder}: is not a folder; make one with one file for each key")
        if secret.env_var:
            try:
                variables[secret.env_var] = (folder / secret.key).read_text(encoding="utf-8")
            except OSError as error:
                raise CannotStart(
                    f"the Secret {secret.name} has no key {secret.key!r} ({error.strerror}); write its value into "
                    f"{folder / secret.key}"
                ) from error
        if secret.mount_path:
            mounts[folder.absolute()] = Path(secret.mount_path)
    return variables, mounts


def _find_program(program: str, working_dir: Path, env: Mapping[str, str]) -> None:
    found = shutil.which(working_dir / program if "/" in program else program, path=env.get("PATH"))
    if found is None:
        raise CannotStart(
            f"spec.transform.cmd: the program {program!r} is not on this machine, or cannot be executed; install it "
            "here, or set cmd to a program that both this machine and the image have"
        )
