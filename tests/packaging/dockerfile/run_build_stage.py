"""Run the Dockerfile's build stage without a container engine, and start the result as the image would.

The stage's own COPY, ENV and RUN lines are followed in an empty root of their own, where nothing of the machine is
seen but its system folders and a Python. Then the image's ENTRYPOINT runs there with `--help`: as the image's USER
if this is run by root, on a root that cannot be written to. Needs Linux, util-linux and a package index.

    python tests/packaging/dockerfile/run_build_stage.py [ARGUMENT...]

What this does not show: that the base image can be had, that its Python is this one, and that the final stage's own
RUN works. That takes pip and ensurepip from the base image's Python, and the Python here is the machine's. What
follows from the lines alone is looked at: both stages have one base, and RUN names the folders of its Python.
"""

import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/dev", "/proc")
# How this machine reaches its package index is the machine's business, as it would be an engine's.
HANDED_ON = ("PIP_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
IMAGE_PATH = "/usr/local/bin:/usr/bin:/bin"

log = functools.partial(print, flush=True)


@dataclass(kw_only=True)
class Stage:
    """A stage of the Dockerfile: its base, and its instructions in order."""

    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        """What the last `instruction` of the stage says."""
        return [text for name, text in self.instructions if name == instruction][-1]


def stages(dockerfile: str) -> list[Stage]:
    """The stages of a Dockerfile, with comments dropped and continued lines joined."""
    found: list[Stage] = []
    lines = (line.strip() for line in dockerfile.splitlines())
    logical = "\n".join(line for line in lines if line and not line.startswith("#")).replace("\\\n", " ")
    for line in logical.splitlines():
        instruction, _, text = line.partition(" ")
        if instruction == "FROM":
            found.append(Stage(base=text.partition(" AS ")[0]))
        else:
            found[-1].instructions.append((instruction, text))
    return found


def look_at_bases(build: Stage, final: Stage) -> None:
    """See that what was built with one Python runs with the same; SystemExit says what differs."""
    if build.base != final.base:
        raise SystemExit(f"built on {build.base}, run on {final.base}: the environment is for one Python")
    version = re.match(r"python:(\d+\.\d+)", final.base)
    if version is None:
        raise SystemExit(f"{final.base} is no image of Python with its version")
    own = f"python{version.group(1)}"
    run = " ".join(text for instruction, text in final.instructions if instruction == "RUN")
    for named in re.findall(r"python\d+\.\d+", run):
        if named != own:
            raise SystemExit(f"the final stage's RUN names {named}, its base has {own}")


@dataclass(kw_only=True)
class Root:
    """A folder that is the root of what runs in it."""

    folder: Path
    python: Path
    env: dict[str, str]
    workdir: str = "/"

    def follow(self, stage: Stage) -> None:
        """Do what the stage's instructions say."""
        for instruction, text in stage.instructions:
            match instruction:
                case "ENV":
                    self.set_env(text)
                case "WORKDIR":
                    self.workdir = text
                    self.inside(text).mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self.copy(shlex.split(text))
                case "RUN":
                    log(f"RUN {text}")
                    self.run(["sh", "-c", text])
                case _:
                    raise SystemExit(f"{instruction} in the build stage: teach this script to follow it")

    def set_env(self, text: str) -> None:
        """Take over the variables of an ENV line."""
        for entry in shlex.split(text):
            name, _, value = entry.partition("=")
            self.env[name] = value.replace("$PATH", self.env["PATH"])

    def inside(self, path: str) -> Path:
        """Where `path`, as seen from inside, is outside."""
        return self.folder / (Path("/") / self.workdir / path).relative_to("/")

    def copy(self, arguments: Sequence[str]) -> None:
        """Copy what a COPY line names, if .dockerignore lets it through."""
        *sources, target = arguments
        ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
        for source in sources:
            if f"!{source}" not in ignored:
                raise SystemExit(f"COPY {source}: .dockerignore keeps it out; add the line !{source} to it")
            into = self.inside(target) / source if target.endswith("/") else self.inside(target)
            if (REPOSITORY / source).is_dir():
                shutil.copytree(REPOSITORY / source, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(REPOSITORY / source, into)

    def run(self, command: Sequence[str], *, read_only: bool = False, user: str = "") -> None:
        """Run `command` inside; SystemExit says what failed."""
        script = [f"mount --bind {self.folder} {self.folder}", *self._mounts()]
        if read_only:
            script.append(f"mount -o remount,bind,ro,nosuid,nodev {self.folder}")
        as_user = [f"--userspec={user}"] if user and os.geteuid() == 0 else []
        variables = [f"{name}={value}" for name, value in self.env.items()]
        inside = ["env", "-i", "-C", self.workdir, *variables, *command]
        script.append(f"exec {shlex.join(['chroot', *as_user, str(self.folder), *inside])}")
        rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        try:
            subprocess.run(["unshare", "--mount", *rights, "sh", "-euc", "\n".join(script)], check=True)  # noqa: S603, S607 - ours
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"exit status {error.returncode}: {shlex.join(command)}") from None

    def _mounts(self) -> Iterator[str]:
        """Show the system's folders and the Python inside."""
        prefix = self.python.parents[1]
        for folder in (*SYSTEM_FOLDERS, *([] if prefix.is_relative_to("/usr") else [str(prefix)])):
            if Path(folder).is_dir():
                self.inside(folder).mkdir(parents=True, exist_ok=True)
                yield f"mount --rbind {folder} {self.inside(folder)}"
        # /usr/local belongs to the image's Python: hide the machine's.
        yield f"mount -t tmpfs tmpfs {self.inside('/usr/local')}"
        yield f"mkdir {self.inside('/usr/local/bin')}"
        # No link: by way of one, Python 3.11 takes the machine's /usr for its own.
        program = self.inside("/usr/local/bin/python")
        yield f"printf '#!/bin/sh\\nexec {self.python} \"$@\"\\n' > {program}"
        yield f"chmod 755 {program}"


def clean_env(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a build has before the Dockerfile adds its own."""
    kept = {name: value for name, value in environ.items() if name.startswith(HANDED_ON)}
    return {"PATH": IMAGE_PATH, "HOME": "/tmp", **kept}  # noqa: S108 - inside the root


def main(arguments: Sequence[str]) -> int:
    """Build, then run the image's entry point with `arguments`."""
    build, final = stages((REPOSITORY / "Dockerfile").read_text())
    look_at_bases(build, final)
    python = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        root = Root(folder=Path(folder), python=python, env=clean_env(os.environ))
        root.folder.chmod(0o755)
        root.inside("/tmp").mkdir(mode=0o1777)  # noqa: S108 - inside the root
        root.follow(build)

        for instruction, text in final.instructions:
            if instruction == "ENV":
                root.set_env(text)
        root.workdir = final.last("WORKDIR")
        user = final.last("USER")
        entry_point = shlex.split(final.last("ENTRYPOINT").strip("[]").replace(",", " "))
        log(f"ENTRYPOINT {shlex.join([*entry_point, *arguments])}, user {user}, read-only root")
        root.run(["sh", "-c", "! touch /opt/spout-operator/x 2>/dev/null"], read_only=True)
        root.run([*entry_point, *arguments], read_only=True, user=user)
        # --help loads no client: see that all of them can be loaded from what was installed.
        root.run(["python", "-c", "import spout_operator.assembly"], read_only=True, user=user)
    log(f"The build stage works with Python {sys.version.split()[0]}; the image's own is in its FROM line.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ["--help"]))
