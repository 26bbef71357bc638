"""Lives of real captures: paused and resumed, restarted until the attempts are used up, and lost."""

import socket

import pytest

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.streams import life_services, life_watch
from apps.streams.life_services import RestartPolicy
from apps.streams.models import Source, StreamLog
from tests.apps.streams.conftest import CaptureMaker, Wait, add_stream

ACTOR = system_actor()


def words(source: Source) -> list[str]:
    return list(StreamLog.objects.filter(source=source).order_by("id").values_list("status", flat=True))


def has_life(source: Source, life: str) -> bool:
    life_watch.look_at_all()
    return bool(Source.objects.filter(pk=source.pk, life=life).exists())


@pytest.mark.slow
def test_a_capture_is_paused_and_resumed(
    account: Account, make_capture: CaptureMaker, wait_until: Wait
) -> None:
    source = add_stream(account, "synthetic:yard?width=320&height=240&fps=10").source
    make_capture()
    wait_until(lambda: has_life(source, "in_progress"))

    life_services.pause_source(actor=ACTOR, source=source)
    wait_until(lambda: Source.objects.get(pk=source.pk).status == "stopped")
    paused = Source.objects.get(pk=source.pk).life
    life_services.resume_source(actor=ACTOR, source=source)
    wait_until(lambda: has_life(source, "in_progress"))

    assert paused == "paused"
    assert words(source) == ["pending", "in_progress", "paused", "pending", "in_progress"]
    last = StreamLog.objects.filter(source=source).latest("id")
    assert (last.handler, last.last_frame_at is not None) == ("capture@test", True)


@pytest.mark.slow
def test_an_unreachable_camera_is_restarted_until_its_attempts_are_used_up(
    account: Account, make_capture: CaptureMaker, wait_until: Wait
) -> None:
    with socket.socket() as taken:  # bound and not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        source = add_stream(account, f"rtsp://127.0.0.1:{taken.getsockname()[1]}/main").source
        life_services.set_restart_policy(actor=ACTOR, source=source, policy=RestartPolicy(2, 1.0))
        make_capture()
        wait_until(lambda: has_life(source, "failure") and words(source).count("failure") == 3)

    row = Source.objects.get(pk=source.pk)
    assert words(source) == [
        "pending", "failure", "restart", "pending", "failure", "restart", "pending", "failure",
    ]  # fmt: skip
    assert (row.is_wanted, row.restart_attempt, life_services.restart_state(row)) == (False, 2, "failed")
