"""The pins are installed without resolving, so they have to be complete for every Python."""

from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

LEFT_OUT = {"opencv-python"}  # the headless one has the same module


def pinned(python: str) -> set[str]:
    """Return the names of what is installed under a Python."""
    lines = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one.name) for one in wanted if holds(one, python)}


def holds(requirement: Requirement, python: str) -> bool:
    """Tell whether a requirement is one under a Python."""
    environment = {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "implementation_version": python,
        "extra": "",
    }
    return requirement.marker is None or requirement.marker.evaluate(environment)


@pytest.mark.parametrize("python", ["3.11.2", "3.11.9", "3.12.3", "3.13.1", "3.14.0"])
def test_everything_that_a_pinned_package_needs_is_pinned(python: str) -> None:
    names = pinned(python)
    missing = set()
    for name in names:
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # of another Python than this one
            continue
        for need in map(Requirement, needs):
            if holds(need, python) and canonicalize_name(need.name) not in names | LEFT_OUT:
                missing.add(f"{name} needs {need}")

    assert missing == set()
