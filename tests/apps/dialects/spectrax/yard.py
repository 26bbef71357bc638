"""A house with two cameras and people, and recordings in it as SpectraX clients find them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from django.test import Client

from apps.accounts.models import Account, Member
from apps.core.numbering import next_number
from apps.dialects.spectrax.clips import describe
from apps.inference.models import Track
from apps.recordings.models import CauseKind, Recording, RecordingState
from apps.streams.models import SourceStatus
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.recordings.archive import Archive, at, make_archive

_track_numbers = count(1)


@dataclass(frozen=True)
class Seen:
    """An object that a track tells of; `box` is in parts of the picture."""

    label: str
    confidence: float
    number: int = 0
    box: tuple[float, float, float, float] = (0.25, 0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Yard:
    account: Account
    front: Archive
    back: Archive
    viewer: Member
    token: str

    @property
    def client(self) -> Client:
        """Return a client of the root with a token."""
        return Client(headers={"authorization": f"Bearer {self.token}"})

    def get(self, address: str, **params: Any) -> Any:
        """Return the JSON of an answer that must be good."""
        answer = self.client.get(address, params)
        assert answer.status_code == 200, answer.content
        return answer.json()


def make_yard(root: Path) -> Yard:
    account = factories.make_account()
    member = factories.make_member(account, "viewer")
    return Yard(
        account=account,
        front=add_camera(account, root / "front", "Front door"),
        back=add_camera(account, root / "back", "Backyard"),
        viewer=member,
        token=factories.make_token(member)[1],
    )


def add_camera(account: Account, root: Path, name: str) -> Archive:
    archive = make_archive(root, account)
    archive.stream.camera.name = name
    archive.stream.camera.save()
    archive.stream.source.status = SourceStatus.LIVE
    archive.stream.source.save()
    archive.stream.frame_rate = 25.0
    archive.stream.save()
    return archive


def add_recording(
    archive: Archive, start_s: float, end_s: float, seen: Iterable[Seen] = (), **fields: Any
) -> Recording:
    """Add a finished recording with tracks in its middle, described as the dialect's subscriber would."""
    recording = Recording.objects.create(
        account=archive.account,
        camera=archive.stream.camera,
        stream=archive.stream,
        number=next_number(archive.account, "recording"),
        state=RecordingState.DONE,
        cause_kind=CauseKind.RULE,
        wanted_start=at(start_s),
        start=at(start_s),
        end=at(end_s),
        **fields,
    )
    for one in seen:
        add_track(archive, start_s + 1, end_s - 1, one)
    describe(recording.pk, now=at(end_s))
    return recording


def add_track(archive: Archive, start_s: float, end_s: float, seen: Seen) -> Track:
    return Track.objects.create(
        id=uuid7(int(at(start_s).timestamp() * 1000)),
        account_id=archive.account.pk,
        camera_id=archive.stream.camera_id,
        stream_id=archive.stream.pk,
        analytic_id=uuid7(),
        number=seen.number or next(_track_numbers),
        label=seen.label,
        confidence=seen.confidence,
        start=at(start_s),
        end=at(end_s),
        best_at=at(start_s),
        best_box=list(seen.box),
    )
