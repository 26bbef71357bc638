"""Who may open which page, and who may do what on it: foreign and absent are both 404."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Role
from apps.cameras.models import Camera
from apps.recordings.models import Recording
from apps.rules.models import Rule
from tests.apps.system.pages.conftest import PageHouse, View

LISTS = (
    "live", "timeline", "cameras", "recordings", "events", "rules", "models", "exports", "statistics",
    "system",
)  # fmt: skip
WITHOUT_CAMERAS = {"system", "exports", "models"}

Login = Callable[..., Client]


def pages_of(view: View) -> dict[str, str]:
    return {
        "camera": reverse("pages:camera", args=[view.camera.pk]),
        "recording": reverse("pages:recording", args=[view.recording.pk]),
    }


def writes_on(view: View) -> dict[str, str]:
    camera, stream, recording, rule = view.camera.pk, view.stream.pk, view.recording.pk, view.rule.pk
    return {
        "camera-edit": reverse("pages:camera-edit", args=[camera]),
        "camera-restart": reverse("pages:camera-restart", args=[camera]),
        "camera-delete": reverse("pages:camera-delete", args=[camera]),
        "stream-settings": reverse("pages:stream-settings", args=[stream]),
        "record": reverse("pages:record", args=[stream]),
        "recording-stop": reverse("pages:recording-stop", args=[recording]),
        "recording-hold": reverse("pages:recording-hold", args=[recording]),
        "recording-delete": reverse("pages:recording-delete", args=[recording]),
        "rule": reverse("pages:rule", args=[rule]),
        "rule-delete": reverse("pages:rule-delete", args=[rule]),
    }


@pytest.mark.parametrize("name", LISTS)
def test_pages_lead_to_the_login(house: PageHouse, client: Client, name: str) -> None:
    response = client.get(reverse(f"pages:{name}"))

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/app/")


@pytest.mark.parametrize("name", LISTS)
def test_lists_show_what_may_be_seen_and_nothing_else(house: PageHouse, log_in: Login, name: str) -> None:
    browser = log_in(Role.VIEWER, sees=[house.door.camera])

    text = browser.get(reverse(f"pages:{name}")).content.decode()

    assert "Garden" not in text
    assert ("Door" in text) is (name not in WITHOUT_CAMERAS)


def test_foreign_and_absent_pages_are_not_found(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.OPERATOR, sees=[house.door.camera])
    absent = reverse("pages:camera", args=[uuid4()])

    own = {name: browser.get(path).status_code for name, path in pages_of(house.door).items()}
    foreign = {name: browser.get(path).status_code for name, path in pages_of(house.garden).items()}

    assert set(own.values()) == {200}
    assert set(foreign.values()) == {404}
    assert browser.get(absent).status_code == 404


def test_writes_on_what_is_foreign_are_not_found_and_change_nothing(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN, sees=[house.door.camera])

    codes = {name: browser.post(path).status_code for name, path in writes_on(house.garden).items()}

    assert set(codes.values()) == {404}, codes
    assert Camera.objects.count() == 2
    assert Recording.objects.count() == 2
    assert Rule.objects.count() == 2


def test_a_viewer_may_write_nothing(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.VIEWER)

    codes = {name: browser.post(path).status_code for name, path in writes_on(house.door).items()}

    assert set(codes.values()) == {403}, codes
    assert browser.get(reverse("pages:camera-add")).status_code == 403
    assert Camera.objects.count() == 2
    assert not Recording.objects.filter(is_held=True).exists()


def test_a_viewer_is_offered_nothing_to_write(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.VIEWER)

    for path in (*pages_of(house.door).values(), reverse("pages:live"), reverse("pages:rules")):
        forms = browser.get(path).content.decode().count("<form")
        assert forms == 2, path  # the two ways to log out: the rail's and the phone's


@pytest.mark.parametrize(
    "name",
    ["camera-restart", "camera-delete", "stream-settings", "record", "recording-delete", "rule-delete"],
)
def test_what_changes_something_is_posted(house: PageHouse, log_in: Login, name: str) -> None:
    browser = log_in(Role.ADMIN)

    assert browser.get(writes_on(house.door)[name]).status_code == 405


@pytest.mark.parametrize("name", ["camera-delete", "record", "recording-hold", "rule-delete", "camera-edit"])
def test_a_post_without_the_token_is_refused(house: PageHouse, log_in: Login, name: str) -> None:
    browser = log_in(Role.ADMIN, enforce_csrf=True)

    assert browser.post(writes_on(house.door)[name]).status_code == 403
    assert Camera.objects.count() == 2


def test_an_operator_records_holds_and_deletes(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.OPERATOR)
    paths = writes_on(house.door)

    browser.post(paths["recording-hold"])
    refused = browser.post(paths["recording-delete"], follow=True).content.decode()
    assert "release it first" in refused
    browser.post(paths["recording-hold"])
    browser.post(paths["recording-delete"])
    browser.post(paths["record"])

    left = Recording.objects.filter(camera=house.door.camera)
    assert [recording.cause_kind for recording in left] == ["user"]


def test_a_second_record_is_told_in_words(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.OPERATOR)
    path = writes_on(house.door)["record"]
    browser.post(path)

    again = browser.post(path, headers={"HX-Request": "true"})

    assert again.status_code == 409
    assert again["Content-Type"].startswith("text/plain")
    assert again.content.decode() == "This stream is being recorded."
