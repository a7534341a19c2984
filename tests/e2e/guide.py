"""A page of the documentation as the people in it would follow it: its files are written, its commands run.

A block of commands is followed by what it prints, in a block without a language. Where the page shows nothing, the
commands only have to succeed.
"""

import dataclasses
import os
import re
import subprocess
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from spout_testbed import Testbed
from spout_testbed.waiting import eventually

_PART = re.compile(
    r"^(?P<level>##+) (?P<heading>[^\n]*)$|^ *```(?P<language>\w*)\n(?P<block>.*?)^ *```$", re.DOTALL | re.MULTILINE
)
_FILE = re.compile(r"`([\w.-]+\.yaml)`")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """One block of commands, or one file."""

    section: str
    """The heading of the second level above it."""
    heading: str
    """The nearest heading above it."""
    text: str
    """The commands, or the content of the file."""
    file: str = ""
    """The name of the file; empty for commands."""
    shown: str | None = None
    """What the page says that the commands print; None where it says nothing."""


def steps(page: Path) -> list[Step]:
    """The files and the commands of a page, in their order.

    A block of YAML is the file that the text before it names last.
    """
    return list(_steps(page.read_text(encoding="utf-8")))


def _steps(text: str) -> Iterator[Step]:
    section, heading, end = "", "", 0
    for part in _PART.finditer(text):
        between, end = text[end : part.start()], part.end()
        block = textwrap.dedent(part["block"] or "")
        if part["heading"]:
            heading = part["heading"]
            section = heading if part["level"] == "##" else section
        elif part["language"] == "yaml":
            yield Step(section=section, heading=heading, text=block, file=_FILE.findall(between)[-1])
        elif part["language"] == "sh":
            after = re.match(r"\n\n```\n(.*?)^```$", text[end:], re.DOTALL | re.MULTILINE)
            yield Step(section=section, heading=heading, text=block, shown=after[1] if after else None)


def normal(output: str) -> str:
    """An output without what differs from one run to the next: times, counts, and the width of columns."""
    ages = re.sub(r"\b(\d+[dhms])+\b", "TIME", output)
    return "\n".join(" ".join(re.sub(r"\b\d+\b", "N", line).split()) for line in ages.strip().splitlines())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who follows the page."""

    folder: Path
    """Where the files are written and the commands run."""
    environment: Mapping[str, str]
    """What the commands see, beside what this process sees."""

    def follow(self, step: Step, text: str, *, details: Callable[[], str]) -> None:
        """Write the file, or run the commands and see that they print what the page shows.

        Commands that only read are run again, because what they show takes a moment; others once.

        Args:
            step: of the page.
            text: the step's own, with what is different here.
            details: what a failing test has to show.

        Raises:
            AssertionError: they fail, or print something else.
            TestbedError: they do not print it in time.
        """
        if step.file:
            (self.folder / step.file).write_text(text)
            return
        if step.shown is None:
            done = self.run("set -e\n" + text)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{details()}"
            return
        # Where the page shows what a command prints, the command may also be one that is refused.
        wanted = normal(step.shown)
        last = self.run(text).stdout
        if all(command.startswith("kubectl get ") for command in text.splitlines()):

            def is_shown() -> bool:
                nonlocal last
                if normal(last) == wanted:
                    return True
                last = self.run(text).stdout
                return False

            eventually(
                is_shown, what=f"{text} to print\n{step.shown}", interval=0.5, details=lambda: f"{last}\n{details()}"
            )
        assert normal(last) == wanted, f"{text}\nprinted\n{last}\n{details()}"

    def run(self, commands: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run commands; what they print as errors is in their output."""
        return subprocess.run(  # noqa: S603 - our own page
            ["/bin/bash", "-uo", "pipefail", "-c", commands],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=150,
            check=False,
            **options,
        )


def a_person(bed: Testbed, folder: Path, *, namespace: str, user: str = "") -> Person:
    """Somebody who follows a page with kubectl, and who has a password for Kafka.

    Args:
        bed: the servers.
        folder: of the person; it is made here.
        namespace: that of their context, and the group that they are in.
        user: their name; the administrator's, who also has pachctl, if it is empty.
    """
    folder.mkdir()
    (folder / "password").write_text(f"of {namespace}")
    config = yaml.safe_load(bed.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = namespace
    visitors = bed.folder / "visitors"
    environment = {"KUBECONFIG": str(folder / "kubeconfig"), "PATH": f"{visitors / 'bin'}:/usr/bin:/bin"}
    if user:
        config["users"][0]["user"] |= {"as": user, "as-groups": [namespace]}
    else:
        environment["PACH_CONFIG"] = str(visitors / "pachctl.json")
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    return Person(folder=folder, environment=environment)
