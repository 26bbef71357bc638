"""Who may do what with what: one table, asked of `may`, and of `visible` over every kind of row."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts import actors
from apps.accounts.access import ANONYMOUS, ROLE_FOR, Action, Actor, Resource, may, require, visible
from apps.accounts.actors import actor_of_token, actor_of_user, rank_of
from apps.accounts.models import Member
from apps.cameras.models import Camera
from apps.catalog.models import Model
from apps.core import outbox
from apps.core.exceptions import ForbiddenError, NotAuthenticatedError, NotVisibleError
from apps.core.models import Outbox
from apps.rules.models import Rule
from tests import factories

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class World:
    """Two accounts: ours with three cameras, and a foreign one with one."""

    actors: Mapping[str, Actor]
    resources: Mapping[str, Resource]


# Which role each actor has on each resource; "-" is none. Resources: cameras A, B and C of our account, two
# of them together, the account's own things that show no camera, all of the account, the same of a foreign
# account, and what belongs to the site.
RESOURCES = (
    "a",
    "b",
    "c",
    "a+b",
    "a+c",
    "shared",
    "account",
    "foreign camera",
    "foreign account",
    "site shared",
    "site",
)
_ALL = "admin " * 11
TABLE = {
    "anonymous":                "-      -      -      -      -      -      -      -  -  -      -",
    "superuser":                _ALL,
    "system":                   _ALL,
    "viewer":                   "viewer viewer viewer viewer viewer viewer viewer -  -  viewer -",
    "operator":                 "operator operator operator operator operator operator operator - - viewer -",
    "admin":                    "admin admin admin admin admin admin admin - - viewer -",
    "viewer of a":              "viewer - - - - viewer - - - viewer -",
    "viewer of a, b in group":  "viewer viewer - viewer - viewer - - - viewer -",
    "operator of a":            "operator - - - - viewer - - - viewer -",
    "operator who watches a":   "viewer - - - - viewer - - - viewer -",
    "viewer granted admin":     "viewer - - - - viewer - - - viewer -",
    "admin of a":               "admin - - - - viewer - - - viewer -",
    "watches a, operates a, b": "operator operator - operator - viewer - - - viewer -",
    "grant is over":            "- - - - - viewer - - - viewer -",
    "limited to nothing":       "- - - - - viewer - - - viewer -",
    "admin of foreign":         "- - - - - - - admin admin viewer -",
    "in both":                  "viewer viewer viewer viewer viewer viewer viewer admin admin viewer -",
    "inactive person":          "- " * 11,
    "of inactive account":      "- - - - - - - - - viewer -",
    "viewer token of admin":    "viewer viewer viewer viewer viewer viewer viewer - - viewer -",
    "admin token of viewer":    "viewer viewer viewer viewer viewer viewer viewer - - viewer -",
    "token of limited":         "viewer - - - - viewer - - - viewer -",
    "token of superuser":       "viewer viewer viewer viewer viewer viewer viewer - - viewer -",
    "expired token":            "- " * 11,
}  # fmt: skip


@pytest.fixture
def world() -> World:
    home, foreign = factories.make_account("Home"), factories.make_account("Foreign")
    a, b, c = (factories.make_camera(home, name) for name in "abc")
    other = factories.make_camera(foreign, "other")
    resources = {
        "a": Resource(home.pk, frozenset({a.pk})),
        "b": Resource(home.pk, frozenset({b.pk})),
        "c": Resource(home.pk, frozenset({c.pk})),
        "a+b": Resource(home.pk, frozenset({a.pk, b.pk})),
        "a+c": Resource(home.pk, frozenset({a.pk, c.pk})),
        "shared": Resource(home.pk, shows_cameras=False),
        "account": Resource(home.pk),
        "foreign camera": Resource(foreign.pk, frozenset({other.pk})),
        "foreign account": Resource(foreign.pk),
        "site shared": Resource(None, shows_cameras=False),
        "site": Resource(None),
    }
    members = _members(home, foreign, a, b)
    loaded = {name: actor_of_user(member.user) for name, member in members.items()}
    return World({**loaded, **_other_actors(members)}, resources)


def _members(home: object, foreign: object, a: Camera, b: Camera) -> dict[str, Member]:
    assert a.account == home
    account, stranger = a.account, factories.make_account("Closed", is_active=False)
    past = timezone.now() - timedelta(seconds=1)
    group = factories.make_group(account, [a, b])
    both = factories.make_member(account, "viewer")
    factories.make_member(foreign, "admin", user=both.user)  # type: ignore[arg-type]
    twice = factories.make_limited_member(account, "operator", [a], grant_role="viewer")
    twice.grants.create(scope_kind="group", scope_id=group.pk, role="operator")
    inactive = factories.make_user(is_active=False)
    return {
        "viewer": factories.make_member(account, "viewer"),
        "operator": factories.make_member(account, "operator"),
        "admin": factories.make_member(account, "admin"),
        "viewer of a": factories.make_limited_member(account, "viewer", [a]),
        "viewer of a, b in group": factories.make_limited_member(account, "viewer", [group]),
        "operator of a": factories.make_limited_member(account, "operator", [a]),
        "operator who watches a": factories.make_limited_member(
            account, "operator", [a], grant_role="viewer"
        ),
        "viewer granted admin": factories.make_limited_member(account, "viewer", [a], grant_role="admin"),
        "admin of a": factories.make_limited_member(account, "admin", [a]),
        "watches a, operates a, b": twice,
        "grant is over": factories.make_limited_member(account, "admin", [a, b], until=past),
        "limited to nothing": factories.make_limited_member(account, "admin", []),
        "admin of foreign": factories.make_member(foreign, "admin"),  # type: ignore[arg-type]
        "in both": both,
        "inactive person": factories.make_member(account, "admin", user=inactive),
        "of inactive account": factories.make_member(stranger, "admin"),
    }


def _other_actors(members: Mapping[str, Member]) -> dict[str, Actor]:
    superuser = factories.make_superuser()
    root = factories.make_member(members["admin"].account, "admin", user=superuser)
    tokens = {
        "viewer token of admin": factories.make_token(members["admin"])[0],
        "admin token of viewer": factories.make_token(members["viewer"], "admin")[0],
        "token of limited": factories.make_token(members["viewer of a"])[0],
        "token of superuser": factories.make_token(root)[0],
    }
    loaded = {name: actor_of_token(token) for name, token in tokens.items()}
    gone = replace(loaded["viewer token of admin"], until=timezone.now() - timedelta(seconds=1))
    return {
        **loaded,
        "expired token": gone,
        "anonymous": ANONYMOUS,
        "superuser": actor_of_user(superuser),
        "system": actors.system_actor(),
    }


def test_every_actor_of_the_world_has_a_row(world: World) -> None:
    assert set(world.actors) == set(TABLE)
    assert set(world.resources) == set(RESOURCES)


def test_may_says_what_the_table_says(world: World) -> None:
    wrong = []
    for name, row in TABLE.items():
        for resource_name, role in zip(RESOURCES, row.split(), strict=True):
            for action in Action:
                wanted = role != "-" and rank_of(role) >= rank_of(ROLE_FOR[action])
                decision = may(world.actors[name], action, world.resources[resource_name])
                if decision.allowed != wanted:
                    wrong.append((name, action.value, resource_name, decision))

    assert wrong == []


def test_require_raises_404_for_what_may_not_be_viewed_and_403_for_what_may(world: World) -> None:
    for name, row in TABLE.items():
        for resource_name, role in zip(RESOURCES, row.split(), strict=True):
            actor, resource = world.actors[name], world.resources[resource_name]
            if name == "anonymous":
                with pytest.raises(NotAuthenticatedError):
                    require(actor, Action.MANAGE_CAMERAS, resource)
            elif role == "admin":
                assert require(actor, Action.MANAGE_CAMERAS, resource).allowed
            elif role == "-":
                with pytest.raises(NotAuthenticatedError if not actor.is_authenticated else NotVisibleError):
                    require(actor, Action.MANAGE_CAMERAS, resource)
            else:
                with pytest.raises(ForbiddenError):
                    require(actor, Action.MANAGE_CAMERAS, resource)


def test_visible_gives_exactly_the_rows_that_may_allows(world: World) -> None:
    rules = _rules(world)
    news = _news(world)
    models = _models(world)

    for name, actor in world.actors.items():
        for action in Action:
            cameras = visible(actor, action, Camera.objects.all(), camera_path="id")
            one_each = {
                key: _camera(resource) for key, resource in world.resources.items() if _is_one(resource)
            }
            assert set(cameras.values_list("pk", flat=True)) == {
                camera_id for key, camera_id in one_each.items() if may(actor, action, world.resources[key])
            }, (name, action)
            for rows, queryset, path in (
                (rules, Rule.objects.all(), "cameras"),
                (news, Outbox.objects.all(), "camera_ids"),
                (models, Model.objects.all(), None),
            ):
                found = visible(actor, action, queryset, camera_path=path)
                wanted = {pk for pk, key in rows.items() if may(actor, action, world.resources[key])}
                assert set(found.values_list("pk", flat=True)) == wanted, (name, action, path)
                assert found.count() == len(wanted)


def _is_one(resource: Resource) -> bool:
    return len(resource.camera_ids) == 1


def _camera(resource: Resource) -> UUID:
    return next(iter(resource.camera_ids))


def _rules(world: World) -> dict[UUID, str]:
    made = {}
    for key, resource in world.resources.items():
        if resource.account_id is not None and resource.shows_cameras:
            rule = Rule.objects.create(account_id=resource.account_id, name=key)
            rule.cameras.set(Camera.objects.filter(pk__in=resource.camera_ids))
            made[rule.pk] = key
    return made


def _news(world: World) -> dict[int, str]:
    Outbox.objects.all().delete()
    made = {}
    with transaction.atomic():
        for key, resource in world.resources.items():
            if resource.shows_cameras:
                row = outbox.publish(
                    "test", subject_kind="test", subject_id=None,
                    account_id=resource.account_id, camera_ids=sorted(resource.camera_ids),
                )  # fmt: skip
                made[row.pk] = key
    return made


def _models(world: World) -> dict[UUID, str]:
    Model.objects.all().delete()
    wanted = {"shared": "ours", "site shared": "built-in"}
    return {
        Model.objects.create(account_id=world.resources[key].account_id, slug=slug, name=slug).pk: key
        for key, slug in wanted.items()
    }


def test_a_decision_says_until_when_it_stands(world: World) -> None:
    account_id = world.resources["a"].account_id
    camera_id, other_id = _camera(world.resources["a"]), _camera(world.resources["b"])
    soon, later = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(hours=2)
    membership = world.actors["limited to nothing"].memberships[0]
    rights = {
        camera_id: (actors.CameraRight("viewer", soon), actors.CameraRight("viewer", later)),
        other_id: (actors.CameraRight("viewer", soon),),
    }
    actor = replace(world.actors["limited to nothing"], memberships=(replace(membership, cameras=rights),))

    assert may(actor, Action.VIEW, Resource(account_id, frozenset({camera_id}))).until == later
    assert may(actor, Action.VIEW, Resource(account_id, frozenset({camera_id, other_id}))).until == soon
    assert not may(actor, Action.VIEW, Resource(account_id, frozenset({other_id})), at=soon)
    assert may(actor, Action.VIEW, Resource(account_id, frozenset({camera_id})), at=soon)


def test_visible_asks_the_database_once(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    actor = world.actors["watches a, operates a, b"]

    with django_assert_num_queries(1):
        assert len(visible(actor, Action.VIEW, Camera.objects.all(), camera_path="id")) == 2


def test_an_actor_is_loaded_in_three_queries_however_many_accounts(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    user = factories.make_user()
    for _ in range(3):
        account = factories.make_account()
        camera = factories.make_camera(account)
        member = factories.make_member(account, "viewer", user=user, sees_all_cameras=False)
        group = factories.make_group(account, [camera])
        member.grants.create(scope_kind="group", scope_id=group.pk)

    with django_assert_num_queries(3):
        actor = actor_of_user(user)

    assert [len(one.cameras) for one in actor.memberships] == [1, 1, 1]


def test_rights_are_not_asked_through_a_reverse_relation(world: World) -> None:
    with pytest.raises(ValueError, match="reverse relation"):
        visible(
            world.actors["viewer of a"], Action.VIEW, Camera.objects.all(), camera_path="streams__camera_id"
        )
