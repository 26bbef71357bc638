"""People, storage, one's own login, exports and statistics: who may open and change what."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import ApiToken, Grant, GrantScope, Member, Role, User
from apps.core.models import Task
from apps.recordings.models import Export, Recording, RetentionPolicy
from apps.streams.models import Volume
from tests import factories
from tests.apps.system.pages.conftest import NOW, PageHouse
from tests.apps.system.pages.test_page_forms import invalid_fields

Login = Callable[..., Client]
PASSWORD = "a new and long password"


def page(name: str, *args: Any) -> str:
    return reverse(f"pages:{name}", args=args)


def newest_user() -> User:
    return User.objects.order_by("-date_joined").get(username__startswith="user-")


def make_export(house: PageHouse, *cameras: Any, **fields: Any) -> Export:
    ids = [str(camera.pk) for camera in cameras]
    values = {"camera_ids": ids, "stream_ids": ids, "name": f"Export of {cameras[0].name}", **fields}
    return Export.objects.create(account=house.account, start=NOW, end=NOW + timedelta(hours=1), **values)


@pytest.mark.parametrize("name", ["members", "member-add", "policy-add", "storage"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_pages_of_administrators_are_refused_to_others(
    house: PageHouse, log_in: Login, name: str, role: Role
) -> None:
    assert log_in(role).get(page(name)).status_code == 403


def test_who_administers_cameras_only_administers_no_people(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN, sees=[house.door.camera])

    assert browser.get(page("members")).status_code == 403
    assert browser.get(page("storage")).status_code == 403
    assert "People" not in browser.get(page("system")).content.decode()


def test_volumes_are_changed_by_superusers_only(house: PageHouse, log_in: Login, tmp_path: Any) -> None:
    volume = Volume.objects.create(name="Disk", root="/secret/place")
    browser = log_in(Role.ADMIN)

    shown = browser.get(page("storage")).content.decode()
    codes = [
        browser.get(page("volume-add")).status_code,
        browser.get(page("volume", volume.pk)).status_code,
        browser.post(page("volume-remove", volume.pk)).status_code,
    ]

    assert "Disk" in shown
    assert "/secret/place" not in shown
    assert codes == [404, 404, 404]
    assert Volume.objects.filter(pk=volume.pk).exists()


def test_a_superuser_adds_a_volume_and_wrong_ones_are_named(house: PageHouse, tmp_path: Any) -> None:
    browser = Client()
    browser.force_login(factories.make_superuser())
    folder = tmp_path / "second"
    folder.mkdir()
    values = {"name": "Second", "root": str(folder), "tier": "recording", "min_free_gigabytes": "0"}

    refused = browser.post(page("volume-add"), {**values, "root": "not/absolute"})
    browser.post(page("volume-add"), values)

    assert refused.status_code == 422
    assert invalid_fields(refused.content.decode()) == {"root"}
    assert Volume.objects.get(name="Second").root == str(folder)


def test_an_administrator_adds_a_person_who_sees_one_camera(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)

    browser.post(page("member-add"), {"username": "vera", "password": PASSWORD, "role": "operator"})
    vera = Member.objects.get(user__username="vera")
    chosen = {f"camera_{house.door.camera.pk}": "viewer"}
    answer = browser.post(page("member", vera.pk), {"role": "operator", **chosen})

    assert answer["Location"] == page("members")
    grants = [(one.scope_kind, one.scope_id, one.role) for one in vera.grants.all()]
    assert grants == [("camera", house.door.camera.pk, "viewer")]
    assert not Member.objects.get(pk=vera.pk).sees_all_cameras


def test_the_end_of_a_grant_survives_a_change(house: PageHouse, log_in: Login) -> None:
    member = factories.make_limited_member(
        house.account, "operator", [house.door.camera], until=timezone.now() + timedelta(days=3)
    )
    until = member.grants.get().until
    field = f"camera_{house.door.camera.pk}"

    log_in(Role.ADMIN).post(page("member", member.pk), {"role": "operator", field: "viewer"})

    grant = Grant.objects.get(member=member, scope_kind=GrantScope.CAMERA)
    assert (grant.role, grant.until) == ("viewer", until)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"username": "", "password": PASSWORD, "role": "viewer"}, "username"),
        ({"username": "vera", "password": "short", "role": "viewer"}, "password"),
        ({"username": "vera", "password": "", "role": "viewer"}, "password"),
        ({"username": "a b/c", "password": PASSWORD, "role": "viewer"}, "username"),
        ({"username": "vera", "password": PASSWORD, "role": "king"}, "role"),
    ],
)
def test_people_who_cannot_be_added_are_named(
    house: PageHouse, log_in: Login, values: dict[str, str], field: str
) -> None:
    answer = log_in(Role.ADMIN).post(page("member-add"), values)

    assert answer.status_code == 422
    assert field in invalid_fields(answer.content.decode())
    assert PASSWORD not in answer.content.decode()
    assert User.objects.count() == 1


def test_a_grant_beyond_the_role_and_the_last_administrator_are_refused(
    house: PageHouse, log_in: Login
) -> None:
    browser = log_in(Role.ADMIN)
    own = Member.objects.get()
    member = factories.make_member(house.account)
    field = f"camera_{house.door.camera.pk}"

    beyond = browser.post(page("member", member.pk), {"role": "viewer", field: "admin"})
    last = browser.post(page("member", own.pk), {"role": "viewer", "sees_all_cameras": "on"})
    removed = browser.post(page("member-remove", own.pk), follow=True)

    assert (beyond.status_code, last.status_code) == (422, 422)
    assert "one administrator" in last.content.decode()
    assert "one administrator" in removed.content.decode()
    assert not Grant.objects.exists()


def test_an_administrator_resets_and_removes(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)
    member = factories.make_member(house.account)

    browser.post(page("member-password", member.pk), {"new_password": PASSWORD})
    browser.post(page("member-remove", member.pk))

    assert User.objects.get(pk=member.user_id).check_password(PASSWORD)
    assert not Member.objects.filter(pk=member.pk).exists()


def test_the_own_password_is_changed_and_this_browser_stays(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.VIEWER)
    values = {"old_password": "only for tests", "new_password": PASSWORD}

    wrong = browser.post(page("change-password"), {**values, "old_password": "guess"})
    short = browser.post(page("change-password"), {**values, "new_password": "short"})
    browser.post(page("change-password"), values)

    assert invalid_fields(wrong.content.decode()) == {"old_password"}
    assert invalid_fields(short.content.decode()) == {"new_password"}
    assert newest_user().check_password(PASSWORD)
    assert browser.get(page("account")).status_code == 200


def test_a_token_is_shown_once_works_and_is_revoked(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.VIEWER)

    beyond = browser.post(page("token-add"), {"name": "Wall", "role": "admin", "days": "30"})
    made = browser.post(page("token-add"), {"name": "Wall", "role": "viewer", "days": "30"}).content.decode()
    found = re.search(r"omt_\w+", made)
    assert found is not None
    text = max(re.findall(r"omt_[\w-]+", made), key=len)
    headers = {"Authorization": f"Bearer {text}"}
    before = Client().get("/api/v1/me/", headers=headers).status_code
    token = ApiToken.objects.get()
    browser.post(page("token-revoke", token.pk))
    after = Client().get("/api/v1/me/", headers=headers).status_code

    assert invalid_fields(beyond.content.decode()) == {"role"}
    assert (before, after) == (200, 401)
    assert text not in browser.get(page("account")).content.decode()


def test_the_token_of_somebody_else_is_not_found(house: PageHouse, log_in: Login) -> None:
    token, _text = factories.make_token(factories.make_member(house.account))

    assert log_in(Role.ADMIN).post(page("token-revoke", token.pk)).status_code == 404
    assert ApiToken.objects.get(pk=token.pk).revoked_at is None


def test_limits_are_set_changed_and_removed(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)
    values = {"max_age_hours": "2.5", "event_age_hours": "30", "max_bytes": "5"}

    browser.post(page("policy-add"), {**values, "camera": str(house.door.camera.pk)})
    policy = RetentionPolicy.objects.get()
    first = (policy.camera_id, policy.max_age_hours, policy.event_age_hours, policy.max_bytes)
    shown = browser.get(page("storage")).content.decode()
    browser.post(page("policy", policy.pk), {"max_age_hours": "1", "max_bytes": "1"})
    policy.refresh_from_db()
    second = (policy.max_age_hours, policy.event_age_hours)
    browser.post(page("policy-delete", policy.pk))

    assert first == (house.door.camera.pk, 60, 720, 5 * (1 << 30))
    assert "2 d 12 h" in shown or "60 h" in shown
    assert second == (24, None)
    assert not RetentionPolicy.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"max_age_hours": "0", "max_bytes": "1"}, "max_age_hours"),
        ({"max_age_hours": "nan", "max_bytes": "1"}, "max_age_hours"),
        ({"max_age_hours": "1", "max_bytes": "inf"}, "max_bytes"),
        ({"max_age_hours": "1", "max_bytes": "-1"}, "max_bytes"),
    ],
)
def test_limits_that_make_no_sense_are_named(
    house: PageHouse, log_in: Login, values: dict[str, str], field: str
) -> None:
    answer = log_in(Role.ADMIN).post(page("policy-add"), values)

    assert answer.status_code == 422
    assert field in invalid_fields(answer.content.decode())
    assert not RetentionPolicy.objects.exists()


def test_exports_show_progress_and_why_one_failed(house: PageHouse, log_in: Login) -> None:
    task = Task.objects.create(kind="export", unique_key="x", progress=0.42)
    make_export(house, house.door.camera, state="running", task=task)
    make_export(house, house.door.camera, state="failed", error="There is not enough free space.")
    make_export(house, house.garden.camera, state="done", size_bytes=5_000_000, gap_s=75.0)

    text = log_in(Role.VIEWER, sees=[house.door.camera]).get(page("exports")).content.decode()

    assert "42 %" in text
    assert "There is not enough free space." in text
    assert "Garden" not in text
    assert 'data-every="3"' in text


def test_exports_are_deleted_by_who_made_them_or_may_record(house: PageHouse, log_in: Login) -> None:
    viewer = log_in(Role.VIEWER)
    own = make_export(house, house.door.camera, created_by=newest_user().pk)
    others = make_export(house, house.door.camera)

    refused = viewer.post(page("export-delete", others.pk)).status_code
    viewer.post(page("export-delete", own.pk))

    assert refused == 403
    assert [row.pk for row in Export.objects.all()] == [others.pk]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"streams": []}, "streams"),
        ({"end": "2026-01-15T11:00Z"}, "end"),
        ({"start": "yesterday"}, "start"),
        ({"end": "2026-01-17T12:00Z"}, "end"),
        ({}, "start"),
    ],
)
def test_exports_that_cannot_be_made_are_named(
    house: PageHouse, log_in: Login, changes: dict[str, Any], field: str
) -> None:
    values = {
        "streams": [str(house.door.stream.pk)],
        "start": "2026-01-15T12:00Z",
        "end": "2026-01-15T12:10Z",
    }

    answer = log_in(Role.VIEWER).post(page("export-add"), {**values, **changes})

    assert answer.status_code == 422
    assert f"{field}" in answer.content.decode()
    assert 'role="alert"' in answer.content.decode()
    assert not Export.objects.exists()


def test_foreign_streams_are_neither_exported_nor_kept(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.OPERATOR, sees=[house.door.camera])
    values = {
        "streams": [str(house.door.stream.pk), str(house.garden.stream.pk)],
        "start": "2026-01-15T12:00Z",
        "end": "2026-01-15T12:10Z",
    }

    exported = browser.post(page("export-add"), values)
    kept = browser.post(page("keep-selection"), values)
    made = browser.post(page("timelapse-add"), values)

    assert (exported.status_code, kept.status_code, made.status_code) == (422, 404, 404)
    assert not Export.objects.exists()
    assert Recording.objects.count() == 2


def test_keeping_what_is_not_recorded_is_told_in_words(house: PageHouse, log_in: Login) -> None:
    values = {
        "streams": [str(house.door.stream.pk)],
        "start": "2026-01-15T12:00Z",
        "end": "2026-01-15T12:10Z",
        "held": "on",
    }

    text = log_in(Role.OPERATOR).post(page("keep-selection"), values, follow=True).content.decode()

    assert "Door: Nothing is recorded in this range." in text
    assert Recording.objects.count() == 2


def test_a_time_lapse_of_nothing_is_told_in_words(house: PageHouse, log_in: Login) -> None:
    values = {
        "streams": [str(house.door.stream.pk)],
        "start": "2026-01-15T12:00Z",
        "end": "2026-01-15T12:10Z",
    }
    browser = log_in(Role.VIEWER)

    text = browser.post(page("timelapse-add"), values, follow=True).content.decode()
    odd = browser.post(page("timelapse-add"), {**values, "start": "yesterday"}, follow=True).content.decode()

    assert "Door: Nothing is recorded in this range." in text
    assert "Choose cameras and a stretch of time first." in odd
    assert not Export.objects.exists()


def test_a_time_lapse_that_is_ready_is_offered_as_a_video(house: PageHouse, log_in: Login) -> None:
    row = make_export(house, house.door.camera, state="done", kind="timelapse", every_s=1.0, frame_rate=25)

    text = log_in(Role.VIEWER).get(page("exports")).content.decode()

    assert reverse("media-timelapse", args=[row.pk]) in text
    assert reverse("media-export", args=[row.pk]) not in text


def test_a_viewer_keeps_nothing_from_the_timeline(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.VIEWER)
    values = {
        "streams": [str(house.door.stream.pk)],
        "start": "2026-01-15T12:00Z",
        "end": "2026-01-15T12:10Z",
    }

    shown = browser.get(page("timeline")).content.decode()
    text = browser.post(page("keep-selection"), values, follow=True).content.decode()

    assert page("keep-selection") not in shown
    assert "You may not do this" in text


def test_the_timeline_shows_the_cameras_that_were_chosen(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.VIEWER)

    both = browser.get(page("timeline")).content.decode()
    one = browser.get(f"{page('timeline')}?camera={house.garden.camera.pk}").content.decode()
    odd = browser.get(f"{page('timeline')}?camera=nonsense").content.decode()

    assert [text.count("data-player") for text in (both, one, odd)] == [2, 1, 2]
    assert str(house.garden.stream.pk) in one


def test_statistics_count_what_may_be_seen(house: PageHouse, log_in: Login) -> None:
    text = log_in(Role.VIEWER, sees=[house.door.camera]).get(page("statistics")).content.decode()
    odd = log_in(Role.VIEWER).get(f"{page('statistics')}?days=5&camera=x")

    assert "Door" in text
    assert "Garden" not in text
    assert odd.status_code == 422
