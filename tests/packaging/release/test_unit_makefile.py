"""`make help` lists every target that a person can run."""

import re
import subprocess

from release.check import ROOT

HELP = ["make", "--no-print-directory", "help"]


def test_help_lists_every_target_with_what_it_does() -> None:
    targets = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    done = subprocess.run(HELP, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    listed = {name: text for name, _, text in (line.partition(" ") for line in done.stdout.splitlines())}
    assert listed.keys() == targets
    assert all(text.strip() for text in listed.values())
