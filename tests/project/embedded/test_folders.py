"""The data folder has one Omma, its sockets have short paths, and its secrets are private."""

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from omma.embedded.errors import AlreadyRunningError, EmbeddedServerError
from omma.embedded.lock_file import LockFile
from omma.embedded.runtime_folder import LONGEST_SOCKET, MAX_PATH_BYTES, make_private, runtime_folder
from omma.embedded.secret_file import read_or_make
from omma.tree.listening import PortError, listen


def test_a_second_holder_is_refused_with_the_firsts_process(tmp_path: Path) -> None:
    path = tmp_path / "omma.lock"

    with LockFile(path), pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}"):
        LockFile(path).acquire()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    with LockFile(tmp_path / "omma.lock"):
        pass

    with LockFile(tmp_path / "omma.lock"):
        pass


def test_sockets_lie_in_the_data_folder_when_the_path_is_short() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="o-") as name:
        assert runtime_folder(Path(name)) == Path(name) / "run"


def test_a_long_path_gets_a_short_folder_of_its_own(tmp_path: Path) -> None:
    one, other = tmp_path / ("a" * 80), tmp_path / ("b" * 80)

    found, another = runtime_folder(one), runtime_folder(other)
    try:
        assert len(os.fsencode(found / LONGEST_SOCKET)) < MAX_PATH_BYTES
        assert found == runtime_folder(one) != another
        assert stat.S_IMODE(found.stat().st_mode) & 0o066 == 0
    finally:
        found.rmdir()
        another.rmdir()


def test_a_runtime_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to("/")

    with pytest.raises(EmbeddedServerError, match="expected a folder of this user"):
        make_private(tmp_path / "run")


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"

    assert read_or_make(path) == read_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_busy_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortError, match=f"port {port} is in use"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [("no.such.host.invalid", 1, "no such address"), ("127.0.0.1", 70000, "0 to 65535")],
)
def test_a_wrong_address_is_named(host: str, port: int, words: str) -> None:
    with pytest.raises(PortError, match=words):
        listen(host, port)
