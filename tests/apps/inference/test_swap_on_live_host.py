"""Models swapped under a running analytic: real hosts, the real bus, a real database."""

from pathlib import Path
from unittest.mock import patch

import pytest

from apps.accounts.access import system_actor
from apps.catalog import files
from apps.catalog.models import ModelVersion
from apps.catalog.services import NewModel, import_model
from apps.inference import services
from apps.inference.models import Analytic, Track
from apps.streams.models import Stream
from omma_engine.supervise import Supervisor
from tests.apps.inference.camera import on_air
from tests.apps.inference.conftest import SupervisorMaker, Wait
from tests.apps.inference.rows import make_stream
from tests.engine.detect.tiny_onnx import picture_with, tiny_bytes
from tests.engine.inference.recorded import write_video
from tests.factories import make_account


@pytest.fixture
def shapes_video(tmp_path: Path) -> Path:
    """A red square that wanders."""
    pictures = [picture_with(("red", 8 + 4 * (index // 12), 24), scale=4) for index in range(60)]
    return write_video(tmp_path / "shapes.mp4", pictures, gop=10)


def imported(**changes: str) -> ModelVersion:
    wanted = NewModel(name="Shapes")
    return import_model(actor=system_actor(), wanted=wanted, chunks=[tiny_bytes(**changes)])


def attached(stream: Stream, version: ModelVersion) -> Analytic:
    values = {"min_confidence": 0.3, "labels": ["red"], "rate_fps": 10}
    wanted = services.NewAnalytic(stream=stream, model_version=version, values=values)
    return services.create_analytic(actor=system_actor(), wanted=wanted)


def swap(analytic: Analytic, version: ModelVersion) -> None:
    services.update_analytic(actor=system_actor(), analytic=analytic, values={"model_version": version})


def key_of(version: ModelVersion) -> str:
    return f"onnx-{version.sha256[:16]}"


def host_pids(supervisor: Supervisor) -> dict[str, int]:
    spawner = supervisor._ports.spawner
    return {key: process.pid for key, process in spawner._processes.items()}  # type: ignore[attr-defined]


def runs(analytic: Analytic, version: ModelVersion) -> bool:
    analytic.refresh_from_db()
    is_settled = analytic.previous_version_id is None
    return is_settled and analytic.status == "running" and analytic.model_version_id == version.pk


def test_a_swap_takes_effect_alone_and_a_model_that_fails_gives_way_to_the_last_good_one(
    make_supervisor: SupervisorMaker, wait_until: Wait, shapes_video: Path
) -> None:
    first, second, bad = imported(), imported(batch="n"), imported(batch="2")
    stream = make_stream(make_account())
    swapped, other = attached(stream, first), attached(stream, first)

    def found_more() -> bool:
        known = Track.objects.filter(analytic_id=swapped.pk, is_live=True)
        return known.filter(hits__gte=3).exists()

    with on_air(stream.pk, shapes_video):
        supervisor = make_supervisor()
        wait_until(lambda: runs(swapped, first) and runs(other, first))
        pid_of_first = host_pids(supervisor)[key_of(first)]

        swap(swapped, second)
        wait_until(lambda: runs(swapped, second))
        wait_until(found_more)
        assert host_pids(supervisor)[key_of(first)] == pid_of_first
        assert runs(other, first)

        with patch.object(services, "verify_version"):  # it was good when it was tried, and is not now
            files.path_of(bad.file).write_bytes(b"rotten since")
            swap(swapped, bad)
        wait_until(lambda: runs(swapped, second) and key_of(bad) not in host_pids(supervisor))
        wait_until(found_more)

        assert runs(other, first)
        assert host_pids(supervisor)[key_of(first)] == pid_of_first
    assert not Track.objects.filter(analytic_id=swapped.pk).exclude(label="red").exists()
