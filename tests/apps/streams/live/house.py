"""Two accounts and their people: alice may see the front door, mallory belongs to somebody else."""

from dataclasses import dataclass

from django.test import Client

from apps.accounts.models import Account, ApiToken, Grant, GrantScope, Member, Role, User
from apps.accounts.tokens import new_secret
from apps.cameras.models import Camera, Driver
from apps.streams.models import Source, SourceStatus, Stream


@dataclass(frozen=True, slots=True)
class Person:
    """A member with a token."""

    member: Member
    token: str

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"authorization", f"Bearer {self.token}".encode())]

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class House:
    account: Account
    camera: Camera
    stream: Stream
    alice: Person
    gus: Person  # sees the one camera by a grant
    mallory: Person


def make_house() -> House:
    account, other = Account.objects.create(name="Home"), Account.objects.create(name="Elsewhere")
    camera = make_camera(account, "Front door", 1)
    gus = make_person(account, "gus", sees_all_cameras=False)
    Grant.objects.create(member=gus.member, scope_kind=GrantScope.CAMERA, scope_id=camera.pk)
    return House(
        account=account,
        camera=camera,
        stream=make_stream(camera),
        alice=make_person(account, "alice"),
        gus=gus,
        mallory=make_person(other, "mallory"),
    )


def make_camera(account: Account, name: str, number: int) -> Camera:
    return Camera.objects.create(
        account=account, name=name, number=number, driver=Driver.SYNTHETIC, address="synthetic://"
    )


def make_stream(camera: Camera) -> Stream:
    source = Source.objects.create(account=camera.account, camera=camera, status=SourceStatus.LIVE)
    return Stream.objects.create(account=camera.account, camera=camera, source=source)


def make_person(
    account: Account, name: str, *, role: Role = Role.VIEWER, sees_all_cameras: bool = True
) -> Person:
    user = User.objects.create_user(username=name, password="only for tests")
    member = Member.objects.create(account=account, user=user, role=role, sees_all_cameras=sees_all_cameras)
    secret = new_secret()
    ApiToken.objects.create(
        member=member, name="test", prefix=secret.prefix, digest=secret.digest, role=Role.ADMIN
    )
    return Person(member, secret.text)


def session_headers(person: Person) -> list[tuple[bytes, bytes]]:
    """Return the headers of a browser that this person has logged in with."""
    client = Client()
    client.force_login(person.member.user)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return [(b"cookie", cookies.encode())]
