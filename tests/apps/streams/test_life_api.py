"""The life of streams over the API, in the admin and on the camera's page."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Account, Member
from apps.streams.life import Life
from apps.streams.life_log import Entry, add_entry
from apps.streams.models import Source, Stream, StreamLog
from apps.streams.volumes import ensure_default_volume
from tests.apps.streams.conftest import add_stream
from tests.factories import make_account, make_member, make_superuser


@pytest.fixture
def home(db: Any, data_dir: Any) -> Account:
    ensure_default_volume()
    return make_account()


@pytest.fixture
def stream(home: Account) -> Stream:
    return add_stream(home, "synthetic:yard", mode="events")


def login(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def admin(home: Account) -> Client:
    return login(make_member(home, "admin"))


def post(client: Client, address: str, **body: Any) -> Any:
    return client.post(f"/api/v1/{address}/", body, content_type="application/json")


def test_a_stream_is_stopped_paused_and_resumed(admin: Client, stream: Stream) -> None:
    lives = []
    for verb in ("stop", "resume", "pause", "pause", "resume"):
        answer = post(admin, f"streams/{stream.pk}/{verb}")
        assert answer.status_code == 200
        lives.append(answer.json()["life"])

    assert lives == ["stop", "pending", "paused", "paused", "pending"]


@pytest.mark.parametrize(("body", "field"), [
    ({"until": "soon"}, "until"), ({"until": "2020-01-01T00:00:00Z"}, "until"),
])  # fmt: skip
def test_a_pause_needs_an_end_that_is_to_come(
    admin: Client, stream: Stream, body: dict[str, str], field: str
) -> None:
    answer = post(admin, f"streams/{stream.pk}/pause", **body)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert Source.objects.get().life == "pending"


def test_a_restart_policy_is_set_and_checked(admin: Client, stream: Stream) -> None:
    address = f"/api/v1/sources/{stream.source_id}/restart-policy/"

    good = admin.put(address, {"restart_limit": 2, "restart_delay_s": 1.5}, "application/json")
    bad = [
        admin.put(address, body, "application/json")
        for body in ({"restart_limit": -1}, {"restart_limit": 1, "restart_delay_s": 1e9}, {})
    ]

    row = good.json()
    assert (row["restart_limit"], row["restart_delay_s"], row["restart_state"]) == (2, 1.5, "enabled")
    assert [list(one.json()["error"]["fields"]) for one in bad] == [
        ["restart_limit"], ["restart_delay_s"], ["restart_limit"],
    ]  # fmt: skip
    assert Source.objects.get().restart_limit == 2


def test_an_operator_and_a_stranger_may_not(home: Account, stream: Stream) -> None:
    operator = login(make_member(home, "operator"))
    stranger = login(make_member(make_account("Other"), "admin"))

    for verb in ("stop", "pause", "resume"):
        assert post(operator, f"streams/{stream.pk}/{verb}").status_code == 403
        assert post(stranger, f"streams/{stream.pk}/{verb}").status_code == 404
    assert Source.objects.get().life == "pending"
    assert stranger.get("/api/v1/stream-log/").json()["results"] == []


def test_the_log_is_filtered(admin: Client, home: Account, stream: Stream) -> None:
    other = add_stream(home, "synthetic:room")
    now = timezone.now()
    add_entry(stream.source, Entry(Life.FAILURE, now, "stalled", "no packet", analytic_index=1))
    add_entry(stream.source, Entry(Life.PAUSED, now, analytic_index=0))

    def found(**query: Any) -> list[str]:
        answer = admin.get("/api/v1/stream-log/", query)
        assert answer.status_code == 200, answer.json()
        return [row["status"] for row in answer.json()["results"]]

    assert sorted(found(stream=str(stream.pk))) == ["failure", "paused", "pending"]
    assert found(stream=str(other.pk)) == ["pending"]
    assert found(status="failure") == ["failure"]
    assert found(stream=str(stream.pk), analytic_index=0) == ["paused", "pending"]
    assert found(end=(now - timedelta(days=1)).isoformat()) == []
    for query in ({"status": "broken"}, {"stream": "x"}, {"analytic_index": "-1"}, {"start": "x"}):
        assert admin.get("/api/v1/stream-log/", query).status_code == 400


def test_the_log_is_cleaned(admin: Client, home: Account, stream: Stream) -> None:
    add_entry(stream.source, Entry(Life.FAILURE, timezone.now()))
    before = (timezone.now() + timedelta(hours=1)).isoformat()
    viewer = login(make_member(home, "viewer"))

    nothing = post(viewer, "stream-log/clean", before=before)
    answer = post(admin, "stream-log/clean", before=before)

    assert (nothing.status_code, nothing.json()) == (200, {"deleted": 0})
    assert (answer.status_code, answer.json()) == (200, {"deleted": 1})
    assert [row.status for row in StreamLog.objects.all()] == ["failure"]
    assert post(admin, "stream-log/clean", before="x").status_code == 400


def test_the_page_pauses_and_resumes(admin: Client, stream: Stream) -> None:
    page = f"/app/cameras/{stream.camera_id}/"

    assert admin.post(f"{page}pause/").status_code == 302
    paused = admin.get(page).content.decode()
    assert admin.post(f"{page}resume/").status_code == 302
    resumed = admin.get(page).content.decode()

    assert "Resume" in paused
    assert "/pause/" not in paused
    assert "/pause/" in resumed
    assert Source.objects.get().life == "pending"


def test_the_admin_stops_and_keeps_what_moved_on_meanwhile(stream: Stream) -> None:
    client = Client()
    client.force_login(make_superuser())
    change = f"/admin/streams/source/{stream.source_id}/change/"
    chosen = {"action": "stop", "_selected_action": [str(stream.source_id)]}

    client.post("/admin/streams/source/", chosen)
    stopped = Source.objects.get().life
    client.post("/admin/streams/source/", {**chosen, "action": "resume"})
    form = {"options": "{}", "labels": "{}", "restart_limit": "3", "restart_delay_s": "2"}
    form |= {"log-TOTAL_FORMS": "0", "log-INITIAL_FORMS": "0"}
    answer = client.post(change, form)

    row = Source.objects.get()
    assert (stopped, answer.status_code) == ("stop", 302)
    assert (row.life, row.restart_limit, row.restart_delay_s) == ("pending", 3, 2.0)
