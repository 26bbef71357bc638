"""From a dataset to tracks on a live camera, by the API alone: upload, training, attaching, finding."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.running import RunningOmma, wait_for
from tests.extras.shapes import LABEL, SIDE, write_dataset, write_video

PART_BYTES = 64 << 10
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(500)]  # other people's


@pytest.fixture
def omma(tmp_path: Path) -> Iterator[RunningOmma]:
    video = write_video(tmp_path / "shapes.mp4")
    running = RunningOmma(data_dir=tmp_path / "data", cameras=[str(video)])
    running.start()
    yield running
    running.stop()


def uploaded(client: httpx.Client, file: Path) -> str:
    """Send a dataset in parts and return the upload's id."""
    content = file.read_bytes()
    said = {"kind": "dataset", "name": file.stem, "size_bytes": len(content)}
    begun = client.post(
        "/api/v1/model-uploads/", json={**said, "sha256": hashlib.sha256(content).hexdigest()}
    ).json()
    for offset in range(0, len(content), PART_BYTES):
        answer = client.patch(
            f"/api/v1/model-uploads/{begun['id']}/",
            content=content[offset : offset + PART_BYTES],
            headers={"Upload-Offset": str(offset), "Content-Type": "application/octet-stream"},
        )
        assert answer.status_code == 200, answer.text
    return str(begun["id"])


def trained(client: httpx.Client, upload: str, progress: list[float]) -> dict[str, Any]:
    """Begin a training and return it when it is done."""
    options = {"architecture": "tiny", "epochs": 40, "picture_px": SIDE, "batch": 16, "seed": 1}
    answer = client.post("/api/v1/trainings/", json={"upload": upload, "name": "Squares", **options})
    assert answer.status_code == 201, answer.text
    path = f"/api/v1/trainings/{answer.json()['id']}/"

    def look() -> dict[str, Any] | None:
        training: dict[str, Any] = client.get(path).json()
        assert training["state"] not in {"failed", "cancelled"}, training
        progress.append(training["progress"])
        return training if training["state"] == "done" else None

    return wait_for("trained model", look, timeout_s=300, every_s=1.0)


def test_a_model_trained_by_the_api_finds_its_shapes_live(omma: RunningOmma, tmp_path: Path) -> None:
    with omma.client() as client:
        stream = client.get("/api/v1/streams/").json()["results"][0]
        for usual in client.get("/api/v1/analytics/").json()["results"]:
            client.delete(f"/api/v1/analytics/{usual['id']}/")
        progress: list[float] = []

        training = trained(client, uploaded(client, write_dataset(tmp_path / "shapes.zip")), progress)

        version = client.get(f"/api/v1/model-versions/{training['version']}/").json()
        assert version["labels"] == [LABEL]
        assert version["input_size_wh"] == [SIDE, SIDE]
        assert progress == sorted(progress)
        assert any(0 < one < 1 for one in progress)
        wanted = {
            "stream": stream["id"],
            "model_version": version["id"],
            "min_confidence": 0.3,
            "rate_fps": 10,
        }
        answer = client.post("/api/v1/analytics/", json=wanted)
        assert answer.status_code == 201, answer.text
        track = wait_for(
            "square on the live camera",
            lambda: client.get("/api/v1/tracks/", params={"label": LABEL, "ordering": "-hits"}).json()[
                "results"
            ][:1],
            timeout_s=90,
        )[0]
        assert track["stream"] == stream["id"]
        assert track["confidence"] > 0.3
        x1, y1, x2, y2 = track["best_box"]
        assert (x2 - x1, y2 - y1) == pytest.approx((24 / SIDE, 24 / SIDE), abs=0.1)
