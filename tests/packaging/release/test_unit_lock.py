"""The lock files can be installed by any pip, also after a dependency has released a newer version."""

import re
from importlib.metadata import distributions

import pytest
from packaging.requirements import Requirement

from release.check import ROOT

PIN = re.compile(r"^([\w.-]+)(?:\[([\w.,-]+)\])?==", re.MULTILINE)
# Where a package asks for `name[extra]` and the lock pins `name`, pip before 23.3 takes the two for different projects,
# finds the newest `name[extra]` and refuses it because it has no hash.
LOCKS = ["requirements.txt", "requirements-local.txt", "requirements-dev.txt"]


def pins(lock: str) -> dict[str, set[str]]:
    """The pinned packages of a lock file, each with the extras that its line names."""
    return {name: set(filter(None, extras.split(","))) for name, extras in PIN.findall((ROOT / lock).read_text())}


def asked(names: dict[str, set[str]]) -> list[tuple[str, Requirement]]:
    """What the pinned packages, as they are installed here, ask of one another with an extra."""
    found = []
    for package in distributions():
        name = package.metadata["Name"].lower()
        for requirement in map(Requirement, (package.requires or []) if name in names else []):
            extras = {"", *names[name]}
            applies = requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in extras
            )
            if applies and requirement.extras and requirement.name in names:
                found.append((name, requirement))
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_each_extra_that_a_package_asks_for(lock: str) -> None:
    names = pins(lock)
    assert names, lock
    missing = [
        f"{name} asks for {requirement}"
        for name, requirement in asked(names)
        if requirement.extras - names[requirement.name]
    ]
    assert not missing, f"{lock}: {missing}; `make lock` writes the extras"


def test_the_development_lock_has_such_a_case() -> None:
    assert "pytest-cov" in {name for name, _ in asked(pins("requirements-dev.txt"))}
