"""The farm as a program of its own, looked at by FFmpeg's tools where they are installed."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm import CameraSpec, Farm
from tests.farm.reading import open_stream, packets_of, read_some


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    spec = CameraSpec(width=320, height=180, fps=30, gop_s=0.5, mode="loop", loop_s=1.0, has_audio=True)
    with Farm([spec, spec], in_process=True) as running:
        yield running


def test_a_farm_in_its_own_process_obeys_and_keeps_its_ledger(farm: Farm) -> None:
    camera = farm.camera(1)

    with open_stream(camera.url()) as container:
        seen = read_some(packets_of(container, decoded=False), 10)
        assert camera.sessions() == 1
        assert camera.drop() == 1

    assert farm.pid is not None
    delivered = {each.sequence for each in camera.ledger() if each.deliveries}
    assert {packet.entry.sequence for packet in seen if packet.entry} <= delivered


def test_the_process_ends_with_the_farm() -> None:
    with Farm([CameraSpec(width=320, height=180)], in_process=True) as farm:
        assert farm.pid is not None
        process = Path(f"/proc/{farm.pid}")
        assert process.exists()

    assert not process.exists()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_ffprobe_sees_the_streams(farm: Farm, transport: str) -> None:
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None:
        pytest.skip("ffprobe is not installed")

    command = [
        ffprobe,
        "-v",
        "error",
        "-analyzeduration",
        "500000",
        "-rtsp_transport",
        transport,
        "-show_streams",
        "-of",
        "json",
    ]
    answer = subprocess.run(
        [*command, "-i", farm.url(0)], capture_output=True, text=True, timeout=20, check=True
    )

    streams = json.loads(answer.stdout)["streams"]
    assert [stream["codec_name"] for stream in streams] == ["h264", "pcm_alaw"]
    assert (streams[0]["width"], streams[0]["height"]) == (320, 180)
    assert streams[0]["avg_frame_rate"] == "30/1"


def test_ffmpeg_decodes_without_complaint(farm: Farm) -> None:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")

    command = [ffmpeg, "-v", "error", "-rtsp_transport", "tcp", "-i", farm.url(0), "-frames:v", "20"]
    answer = subprocess.run(
        [*command, "-an", "-f", "null", "-"], capture_output=True, text=True, timeout=20, check=True
    )

    assert answer.stderr == ""
