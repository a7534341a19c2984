"""The tools of the machine: which are installed, and how to install the others."""

import functools
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from spout_testbed.errors import TestbedError

OLDEST_GO = (1, 26)
OLDEST_JAVA = (11,)

INSTALL = {
    "unshare": "apt-get install util-linux",
    "nsenter": "apt-get install util-linux",
    "mount": "apt-get install mount",
    "ip": "apt-get install iproute2",
    "mvn": "apt-get install maven",
}
"""Each tool that only a package of the machine can provide, and the command that installs the package."""

UNSHARE = (
    *("unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--fork"),
    *("--kill-child", "--mount-proc", "--"),
)
"""The command line that starts a command in its own namespaces."""

NEEDED_TO_RUN = ("unshare", "nsenter", "mount", "ip")


def require(names: Sequence[str]) -> None:
    """Raise one error that names every tool that is missing, each with the command that installs it."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        lines = "\n".join(f"  {name}: {INSTALL[name]}" for name in missing)
        raise TestbedError(f"this machine lacks what the test bed needs:\n{lines}")


def require_namespaces(unshare: Sequence[str] = UNSHARE) -> None:
    """Raise an error that says what to do if this user may not create namespaces."""
    tried = subprocess.run(
        [*unshare, "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        raise TestbedError(
            f"this machine refuses user namespaces ({tried.stderr.strip()}). Allow them:\n"
            "  sysctl user.max_user_namespaces=10000\n"
            "  sysctl kernel.unprivileged_userns_clone=1                  # older Debian\n"
            "  sysctl kernel.apparmor_restrict_unprivileged_userns=0      # Ubuntu 24.04 and newer\n"
            "In a container, start that one with --privileged, or with the security options\n"
            "  seccomp=unconfined and systempaths=unconfined."
        )


def machine_go() -> Path | None:
    """The machine's Go, if it is new enough for what is built."""
    found = shutil.which("go")
    if found is None or version_in(what_it_says(found, "version"), r"go(\d+)\.(\d+)") < OLDEST_GO:
        return None
    return Path(found)


def machine_java() -> Path | None:
    """The machine's Java, if it is new enough for Kafka."""
    found = shutil.which("java")
    if found is None or version_in(what_it_says(found, "-version"), r'version "(\d+)') < OLDEST_JAVA:
        return None
    return Path(found)


@functools.cache
def what_it_says(program: str, *arguments: str) -> str:
    """What a program prints when it is asked for its version; empty if it fails or cannot be started."""
    try:
        asked = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (asked.stdout + asked.stderr).strip() if asked.returncode == 0 else ""


def version_in(text: str, pattern: str) -> tuple[int, ...]:
    """The version that `pattern` finds in `text`; empty, which is lower than every other, if there is none."""
    found = re.search(pattern, text)
    return tuple(map(int, found.groups())) if found else ()
