"""A member of the tree: its log, its restarts, its end."""

import errno
import shutil
import time
from pathlib import Path

import pytest

from omma.tree import log_files
from omma.tree.environment import python
from omma.tree.log_files import LogFile
from omma.tree.member import Member, MemberSpec
from tests.clocks import FakeClock

INFO = "2026-03-02 12:00:00,000 I apps.streams: all is well\n"
WARNING = "2026-03-02 12:00:00,000 W apps.streams: the disk is nearly full\n"
ERROR = "2026-03-02 12:00:00,000 E apps.streams: lost\nTraceback (most recent call last):\n  File\n"


def append(log: LogFile, text: str) -> None:
    with log.path.open("a") as file:
        file.write(text)


def test_only_warnings_and_what_belongs_to_them_are_shown(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    append(log, INFO + WARNING + INFO + ERROR + INFO)

    shown = list(log.warnings())

    assert shown == (WARNING + ERROR).splitlines()
    assert list(log.warnings()) == []


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    append(log, WARNING[:40])
    assert list(log.warnings()) == []

    append(log, WARNING[40:])

    assert list(log.warnings()) == WARNING.splitlines()


def test_a_flood_is_cut_short_with_a_word(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    append(log, WARNING * (log_files.MAX_LINES_A_LOOK + 5))

    shown = list(log.warnings())

    assert len(shown) == log_files.MAX_LINES_A_LOOK + 1
    assert shown[-1].startswith("… and 5 lines more")


def test_a_large_log_is_emptied_and_one_older_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LogFile(tmp_path / "log")
    append(log, WARNING)
    monkeypatch.setattr(log_files, "MAX_BYTES", 10)
    log.rotate()
    append(log, WARNING)

    assert (tmp_path / "log.1").read_text() == WARNING
    assert list(log.warnings()) == WARNING.splitlines()


def test_a_log_that_was_taken_away_or_emptied_is_followed_on(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    append(log, WARNING * 2)
    assert len(list(log.warnings())) == 2

    log.path.unlink()
    assert list(log.warnings()) == []
    log.rotate()
    assert log.last_lines(3) == []

    append(log, ERROR)
    assert list(log.warnings()) == ERROR.splitlines()


def test_a_log_is_emptied_where_there_is_no_room_for_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    log = LogFile(tmp_path / "log")
    append(log, WARNING)
    monkeypatch.setattr(log_files, "MAX_BYTES", 10)
    monkeypatch.setattr(shutil, "copyfile", no_room)

    log.rotate()

    assert log.path.stat().st_size == 0


def ended(member: Member) -> None:
    deadline = time.monotonic() + 10
    while member.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_member_that_keeps_ending_is_started_with_growing_pauses(tmp_path: Path) -> None:
    clock = FakeClock()
    member = Member(
        MemberSpec("stub", python("-c", "raise SystemExit(3)"), 0),
        environment={},
        log_dir=tmp_path,
        monotonic=lambda: clock.monotonic_us() / 1e6,
    )
    member.start()

    for pause_s in (0, 0.5, 1, 2):
        first = member.pid
        ended(member)
        assert member.watch() == "ended with exit code 3, starting it again"
        clock.advance(max(0, pause_s - 0.1))
        if pause_s:
            member.watch()
            assert member.pid == first
        clock.advance(0.2)
        member.watch()
        assert member.pid != first
    member.kill()


def test_a_member_that_cannot_be_started_again_is_tried_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_process(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    clock = FakeClock()
    member = Member(
        MemberSpec("stub", python("-c", "import time; time.sleep(60)"), 0),
        environment={},
        log_dir=tmp_path,
        monotonic=lambda: clock.monotonic_us() / 1e6,
    )
    member.start()
    member.kill()
    member.watch()
    with monkeypatch.context() as scarce:
        scarce.setattr("omma.tree.member.launch", no_process)
        assert "cannot be started" in (member.watch() or "")

    clock.advance(60)
    member.watch()

    assert member.is_alive()
    member.kill()


def test_stopping_twice_does_no_harm(tmp_path: Path) -> None:
    member = Member(
        MemberSpec("stub", python("-c", "import time; time.sleep(60)"), 0),
        environment={},
        log_dir=tmp_path,
        monotonic=time.monotonic,
    )
    member.start()

    member.kill()
    member.ask_to_stop()
    member.kill()

    assert not member.is_alive()
