"""What a start gives the host's owner: a password, whatever happens next, and the cameras that were named."""

import socket
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from apps.accounts.models import Account, User
from apps.cameras.models import Camera
from apps.core.exceptions import InvalidInputError
from apps.system import first_cameras, preparing

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return preparing.ensure_account()


def _no_names(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_AGAIN, "the name server is away")


def test_a_made_up_password_is_told_before_the_administrator_is_kept(account: Account) -> None:
    def break_off(_password: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        preparing.ensure_administrator(account, tell=break_off)
    assert not User.objects.filter(is_superuser=True).exists()

    told: list[str] = []
    preparing.ensure_administrator(account, tell=told.append)
    assert User.objects.get(is_superuser=True).check_password(told[0])


def test_a_wrong_camera_costs_nobody_the_password(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.OMMA_CAMERAS = ["/nowhere/at/all.mp4"]
    for step in ("bring_schema_up_to_date", "collect_static_files"):
        monkeypatch.setattr(preparing, step, lambda: None)

    with pytest.raises(CommandError, match="There is no such file or device"):
        call_command("prepare")

    assert "Administrator: admin, password:" in capsys.readouterr().out


def test_a_camera_that_is_there_does_not_stop_a_start_while_its_host_is_away(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_cameras.add_given(account, ["rtsp://viewer:secret@localhost:8554/main"])
    monkeypatch.setattr(socket, "getaddrinfo", _no_names)

    assert first_cameras.add_given(account, ["rtsp://viewer:secret@LOCALHOST:8554/main"]) == []


def test_each_address_that_cannot_be_added_is_named_and_the_others_are_kept(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _no_names)
    with pytest.raises(InvalidInputError) as refused:
        first_cameras.add_given(
            account, ["rtsp://viewer:s3cret@away.invalid/main", "/no.mp4", "synthetic:yard"]
        )

    assert refused.value.message.splitlines() == [
        "rtsp://***@away.invalid/main: The host away.invalid cannot be found.",
        "/no.mp4: There is no such file or device.",
    ]
    assert [camera.name for camera in Camera.objects.all()] == ["Virtual yard"]


def test_a_file_that_is_gone_stays_a_camera(account: Account, tmp_path: Path) -> None:
    video = tmp_path / "holiday.mp4"
    video.write_bytes(b"-")
    assert first_cameras.add_given(account, [str(video)]) == ["holiday"]
    video.unlink()

    assert first_cameras.add_given(account, [str(video)]) == []


def test_a_file_is_called_by_its_name_whatever_is_in_it(account: Account, tmp_path: Path) -> None:
    video = tmp_path / "garden #2?.mp4"
    video.write_bytes(b"-")

    assert first_cameras.add_given(account, [str(video)]) == ["garden #2?"]
    assert Camera.objects.get().address == str(video.resolve())
