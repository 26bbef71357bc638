"""Analytics over HTTP: who may, what is refused by name, and what a change does."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.accounts.access import system_actor
from apps.accounts.models import Account, Member
from apps.catalog.services import builtin_version, ensure_builtins
from apps.core.models import AuditEntry, Outbox
from apps.inference.models import Analytic, Event, Track
from apps.inference.provisioning import arm_camera
from apps.inference.sinks import InferenceSink
from apps.inference.specs import numbered, spec_of, wanted_analytics
from apps.streams.models import Source, Stream
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.inference.rows import Host, hold_lease, make_analytic, make_stream

pytestmark = pytest.mark.django_db
ANALYTICS = "/api/v1/analytics/"
TRIANGLE = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]


@pytest.fixture
def account() -> Account:
    ensure_builtins()
    return factories.make_account()


@pytest.fixture
def stream(account: Account) -> Stream:
    return make_stream(account)


def client_of(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def send(client: Client, method: str, address: str, body: Any = None) -> Any:
    return getattr(client, method)(address, body or {}, content_type="application/json")


def wanted(stream: Stream, **fields: Any) -> dict[str, Any]:
    return {"stream": str(stream.pk), "model_version": str(builtin_version("people").pk), **fields}


def test_an_analytic_is_created_under_the_streams_next_number(account: Account, stream: Stream) -> None:
    client = client_of(factories.make_member(account, "admin"))

    first = send(client, "post", ANALYTICS, wanted(stream))
    second = send(client, "post", ANALYTICS, wanted(stream, name="Gate", regions=[TRIANGLE], rate_fps=2))

    assert (first.status_code, second.status_code) == (201, 201), second.content
    assert (first.json()["number"], first.json()["name"], first.json()["status"]) == (0, "People", "pending")
    row = second.json()
    assert (row["number"], row["name"], row["regions"], row["rate_fps"]) == (1, "Gate", [TRIANGLE], 2.0)
    assert AuditEntry.objects.filter(action="analytic.created").count() == 2
    assert Outbox.objects.filter(kind="analytic.created", camera_ids=[str(stream.camera_id)]).count() == 2


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"rate_fps": 0}, "rate_fps", "more than 0"),
        ({"rate_fps": 61}, "rate_fps", "at most 60"),
        ({"min_confidence": 1.5}, "min_confidence", "0 to 1"),
        ({"labels": ["cat"]}, "labels", "no label 'cat'; it has person"),
        ({"regions": [[[0, 0], [1, 1]]]}, "regions", "Polygon 1: expected at least 3 points, got 2"),
        (
            {"regions": [TRIANGLE, [[0, 0], [1, 1], [1, 0], [0, 1]]]},
            "regions",
            "Polygon 2: expected an outline",
        ),
        ({"regions": [[[0, 0], [2, 0], [1, 1]]]}, "regions", "expected x and y of 0 to 1"),
        ({"regions": [[["a", 0], [1, 0], [1, 1]]]}, "regions", "expected points [x, y]"),
        ({"regions": "everywhere"}, "regions", "Expected a list"),
        ({"parameters": {"colour": 1}}, "parameters", "no parameter 'colour'"),
        ({"parameters": {"max_width": 12.5}}, "parameters", "whole number"),
        ({"model_version": str(uuid4())}, "model_version", "no such model"),
        ({"name": " "}, "name", ""),
        ({"regions": [{"points": TRIANGLE, "roi": {}}]}, "regions", "points or roi"),
        ({"regions": [{"roi": {"x": 0, "y": 0, "width": 0, "height": 5}}]}, "regions", "above 0"),
        (
            {"regions": [{"roi": {"x": 50, "y": 0, "width": 60, "height": 5}, "unit": "percent"}]},
            "regions",
            "0 to 1",
        ),
        (
            {"regions": [{"points": [[0, 0], [700, 0], [9, 9]], "unit": "pixels"}]},
            "regions",
            "outside the picture of 640",
        ),
        ({"regions": [{"points": TRIANGLE, "unit": "feet"}]}, "regions", "unit"),
        ({"regions": [{"points": TRIANGLE, "name": "a"}] * 2}, "regions", "Two regions have one name"),
        ({"regions": [[[1e9, 0], [1, 0], [1, 1]]]}, "regions", "expected points [x, y]"),
        ({"motion_mask": [[[0, 0], [1, 1]]]}, "motion_mask", "at least 3 points"),
        ({"plane": {"picture": TRIANGLE, "metres": TRIANGLE}}, "plane", "Expected 4 points"),
        ({"plane": {"picture": "x"}}, "plane", "Expected 4 points"),
        (
            {"schedule": [{"start": "08:00", "end": "12:00"}, {"start": "11:00", "end": "13:00"}]},
            "schedule",
            "overlaps",
        ),
        ({"kind": "faces_count"}, "kind", ""),
        ({"counting": {"probes": 2}}, "counting", "Only an analytic that counts"),
        (
            {"kind": "people_count", "counting": {"at_least": 5, "at_most": 2}},
            "counting",
            "At_least: expected no more",
        ),
        ({"order": -1}, "order", ""),
        ({"label": "x" * 129}, "label", ""),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_changes_nothing(
    account: Account, stream: Stream, change: dict[str, Any], field: str, words: str
) -> None:
    Stream.objects.update(width=640, height=360)
    analytic = make_analytic(stream)
    client = client_of(factories.make_member(account, "admin"))
    before = Analytic.objects.values().get()

    answer = send(client, "patch", f"{ANALYTICS}{analytic.pk}/", change)

    assert answer.status_code == 400, answer.content
    assert list(answer.json()["error"]["fields"]) == [field]
    assert words in answer.json()["error"]["fields"][field][0]
    assert Analytic.objects.values().get() == before


def test_regions_may_be_in_parts_percent_or_pixels_and_have_names(account: Account, stream: Stream) -> None:
    client = client_of(factories.make_member(account, "admin"))
    regions = [
        {"roi": {"x": 50, "y": 0, "width": 50, "height": 100}, "unit": "percent"},
        {"points": [[0, 0], [1920, 0], [0, 1080]], "unit": "pixels", "name": "door"},
        {"points": TRIANGLE},
    ]

    row = send(client, "post", ANALYTICS, wanted(stream, regions=regions)).json()

    assert row["regions"] == [
        [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]],
        {"points": [[0.0, 0.0], [1920.0, 0.0], [0.0, 1080.0]], "name": "door", "unit": "pixels"},
        TRIANGLE,
    ]
    again = send(client, "patch", f"{ANALYTICS}{row['id']}/", {"regions": row["regions"]})
    assert again.json()["regions"] == row["regions"]


def test_several_analytics_of_one_stream_differ_in_everything_and_keep_their_order(
    account: Account, stream: Stream
) -> None:
    client = client_of(factories.make_member(account, "admin"))
    counting = {"at_least": 3, "probes": 2, "coordinates": True}
    send(client, "post", ANALYTICS, wanted(stream, order=5))
    second = send(client, "post", ANALYTICS, wanted(
        stream, label="entrance", order=1, kind="people_count", counting=counting, rate_fps=2,
        schedule=[{"weekdays": "1-5", "start": "08:00", "end": "18:00", "timezone": "Europe/Berlin"}],
    ))  # fmt: skip

    assert second.status_code == 201, second.content
    row = second.json()
    assert (row["number"], row["order"], row["label"], row["labels"]) == (1, 1, "entrance", ["person"])
    assert row["schedule"][0]["weekdays"] == [1, 2, 3, 4, 5]
    spec = spec_of(Analytic.objects.get(number=1))
    assert spec.counting is not None
    assert (spec.counting.at_least, spec.counting.coordinates) == (3, True)
    assert [one.number for one in stream.analytics.all()] == [1, 0]
    found = client.get(ANALYTICS, {"kind": "people_count", "label": "entrance"}).json()["results"]
    assert [one["id"] for one in found] == [row["id"]]


def test_foreign_streams_and_models_do_not_exist(account: Account, stream: Stream) -> None:
    foreign = client_of(factories.make_member(factories.make_account("Foreign"), "admin"))
    analytic = make_analytic(stream)

    created = send(foreign, "post", ANALYTICS, wanted(stream))
    absent = send(foreign, "post", ANALYTICS, {**wanted(stream), "stream": str(uuid4())})

    assert (created.status_code, created.content) == (400, absent.content)
    assert send(foreign, "get", f"{ANALYTICS}{analytic.pk}/").status_code == 404
    assert foreign.get(ANALYTICS).json()["count"] == 0


def test_operators_look_and_administrators_change(account: Account, stream: Stream) -> None:
    analytic = make_analytic(stream)
    operator = client_of(factories.make_member(account, "operator"))
    address = f"{ANALYTICS}{analytic.pk}/"

    assert operator.get(address).status_code == 200
    assert send(operator, "patch", address, {"is_enabled": False}).status_code == 403
    assert send(operator, "post", ANALYTICS, wanted(stream)).status_code == 403
    assert Analytic.objects.get().is_enabled


def test_a_change_is_a_new_fingerprint_and_switching_off_ends_it(account: Account, stream: Stream) -> None:
    analytic = make_analytic(stream)
    client = client_of(factories.make_member(account, "admin"))
    (before,) = wanted_analytics()

    send(client, "patch", f"{ANALYTICS}{analytic.pk}/", {"regions": [TRIANGLE]})
    (after,) = wanted_analytics()
    answer = send(client, "patch", f"{ANALYTICS}{analytic.pk}/", {"is_enabled": False})

    assert before.fingerprint != after.fingerprint
    assert answer.json()["status"] == "stopped"
    assert wanted_analytics() == []


def test_what_is_not_wanted_does_not_run(account: Account, stream: Stream) -> None:
    make_analytic(stream)
    Source.objects.update(is_wanted=False)
    assert wanted_analytics() == []

    Source.objects.update(is_wanted=True)
    assert len(wanted_analytics()) == 1

    stream.camera.is_enabled = False
    stream.camera.save()
    assert wanted_analytics() == []


def test_numbers_of_tracks_go_on_where_they_ended(stream: Stream) -> None:
    analytic = make_analytic(stream)
    hold_lease(analytic)
    assert numbered(spec_of(analytic)).first_number == 0

    InferenceSink().commit([Host(analytic).track(number=12)])

    assert numbered(spec_of(analytic)).first_number == 13


def test_deleting_ends_what_was_followed_and_keeps_what_was_found(account: Account, stream: Stream) -> None:
    analytic = make_analytic(stream)
    hold_lease(analytic)
    host = Host(analytic)
    InferenceSink().commit([host.track(), host.match(event_id=uuid7())])
    client = client_of(factories.make_member(account, "admin"))

    answer = send(client, "delete", f"{ANALYTICS}{analytic.pk}/")
    late = InferenceSink().commit([host.track("update")])

    assert answer.status_code == 204
    assert late == set()
    assert [track.is_live for track in Track.objects.all()] == [False]
    assert Event.objects.get().end is not None
    assert Outbox.objects.filter(kind="rule.matched").latest("id").payload["phase"] == "end"


def test_a_new_camera_is_armed_with_motion_and_people(account: Account) -> None:
    stream = make_stream(account)

    arm_camera(stream.camera, system_actor())

    rows = list(Analytic.objects.order_by("number").values_list("number", "model_version__builtin"))
    assert rows == [(0, "motion"), (1, "people")]


def test_the_list_takes_the_same_queries_for_any_length(
    account: Account, stream: Stream, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(factories.make_member(account, "admin"))
    make_analytic(stream)
    client.get(ANALYTICS)
    for number in range(1, 6):
        make_analytic(stream, "motion", number=number)

    with django_assert_num_queries(4):
        assert client.get(ANALYTICS).json()["count"] == 6
