"""Real hosts, the real bus and a real database: what a camera shows becomes tracks, events and pictures."""

import os
import signal
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

from apps.accounts.access import system_actor
from apps.core.models import Lease, Outbox
from apps.inference import rule_port, services
from apps.inference.models import Analytic, Event, Track
from omma_engine.rules import FrameRule
from omma_engine.supervise import Supervisor
from tests.apps.inference.camera import on_air
from tests.apps.inference.conftest import SupervisorMaker, Wait
from tests.apps.inference.rows import make_analytic, make_stream
from tests.factories import make_account

RULE = UUID(int=77)


def host_pids(supervisor: Supervisor) -> dict[str, int]:
    spawner = supervisor._ports.spawner
    return {key: process.pid for key, process in spawner._processes.items()}  # type: ignore[attr-defined]


def person_rule(analytics: Sequence[Analytic]) -> dict[UUID, list[FrameRule]]:
    return {row.id: [FrameRule(RULE, frozenset({"person"}), min_confidence=0.5)] for row in analytics}


def test_a_camera_yields_tracks_events_and_pictures_and_switching_off_ends_them(
    make_supervisor: SupervisorMaker, wait_until: Wait, short_visit: Path, data_dir: Path
) -> None:
    stream = make_stream(make_account())
    people, motion = make_analytic(stream), make_analytic(stream, "motion", number=1)
    with patch.object(rule_port, "_frame_rules", [person_rule]), on_air(stream.id, short_visit):
        supervisor = make_supervisor()
        wait_until(lambda: Event.objects.filter(kind="rule", label="person").exists())
        wait_until(lambda: Track.objects.filter(analytic_id=motion.id).exists())
        assert list(host_pids(supervisor)) == ["opencv"]
        people.refresh_from_db()
        assert people.status == "running"

        services.update_analytic(actor=system_actor(), analytic=people, values={"is_enabled": False})
        wait_until(lambda: not Track.objects.filter(analytic_id=people.id, is_live=True).exists())
        wait_until(lambda: not Event.objects.filter(end=None).exists())

    event = Event.objects.earliest("id")
    track = Track.objects.get(id=str(event.track_id))
    assert event.cause_id == RULE
    assert (data_dir / event.snapshot).read_bytes().startswith(b"\xff\xd8")
    assert (data_dir / track.crop).read_bytes().startswith(b"\xff\xd8")
    phases = [row.payload["phase"] for row in Outbox.objects.filter(kind="rule.matched").order_by("id")]
    assert (phases[0], phases[-1]) == ("start", "end")
    assert Analytic.objects.get(id=people.id).status == "stopped"
    assert Analytic.objects.get(id=motion.id).status == "running"


def test_a_counting_analytic_tells_who_subscribes_and_keeps_its_period(
    make_supervisor: SupervisorMaker, wait_until: Wait, short_visit: Path, data_dir: Path
) -> None:
    stream = make_stream(make_account())
    counting = {"at_least": 1, "probes": 2, "period_s": 1.0, "coordinates": True, "overview": True}
    analytic = make_analytic(stream, kind="people_count", labels=["person"], counting=counting)
    told = Outbox.objects.filter(kind="analytic.result", subject_id=analytic.pk).order_by("id")
    with on_air(stream.id, short_visit):
        make_supervisor()
        wait_until(lambda: told.count() >= 3)

    payloads = [row.payload for row in told]
    assert (payloads[0]["phase"], payloads[0]["count"]) == ("start", 1)
    assert len(payloads[0]["coordinates"]) == 1
    assert (data_dir / payloads[0]["image"]).read_bytes().startswith(b"\xff\xd8")
    crowd = [one["at_us"] for one in payloads if one["event_id"] == payloads[0]["event_id"]]
    assert all(later - earlier >= 1_000_000 for earlier, later in pairwise(crowd))
    event = Event.objects.get(pk=payloads[0]["event_id"])
    assert (event.kind, event.label) == ("detection", "person")


def test_a_killed_host_is_back_within_two_seconds_and_numbers_go_on(
    make_supervisor: SupervisorMaker, wait_until: Wait, short_visit: Path
) -> None:
    stream = make_stream(make_account())
    analytic = make_analytic(stream, "motion")
    with on_air(stream.id, short_visit):
        supervisor = make_supervisor()
        wait_until(lambda: Track.objects.filter(is_live=True).exists())
        epoch = Lease.objects.get(object_id=analytic.id).epoch
        pid = host_pids(supervisor)["opencv"]

        os.kill(pid, signal.SIGKILL)
        began_s = time.monotonic()
        wait_until(lambda: host_pids(supervisor).get("opencv", pid) != pid)
        respawned_s = time.monotonic() - began_s
        wait_until(lambda: Track.objects.filter(number=1).exists())
    supervisor.stop()

    assert respawned_s < 2.0
    assert Track.objects.get(number=0).is_live is False
    assert Lease.objects.get(object_id=analytic.id).epoch == epoch
    assert Lease.objects.get(object_id=analytic.id).owner == ""
