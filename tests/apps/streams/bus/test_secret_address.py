"""No list of processes shows the password of the bus."""

import subprocess
import sys

import pytest

from apps.streams.bus import secret_address
from tests.conftest import ROOT

ADDRESS = "redis://:canary@bus.local:6379/0"


def test_children_find_the_address_behind_what_their_command_line_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(secret_address.VARIABLE, "")
    told = secret_address.hide(ADDRESS)
    program = "import sys; from apps.streams.bus.secret_address import find; print(find(sys.argv[1]))"

    child = subprocess.run(
        [sys.executable, "-c", program, told],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert "canary" not in told
    assert child.stdout.strip() == ADDRESS


def test_a_plain_address_is_the_address() -> None:
    assert secret_address.find(ADDRESS) == ADDRESS
