"""depthai runs a pipeline without a device: what an OAK driver can be tested with."""

import time
from pathlib import Path

import av
import depthai
import numpy as np
import pytest

SIZE_WH = (320, 240)
PICTURES = 10
STEP = 10

pytestmark = pytest.mark.filterwarnings("ignore")  # other people's


def write_video(path: Path) -> None:
    """Write a video whose pictures grow brighter by `STEP` each."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        for number in range(2 * PICTURES):
            picture = np.full((SIZE_WH[1], SIZE_WH[0], 3), number * STEP, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)


def test_a_host_only_pipeline_replays_a_video(tmp_path: Path) -> None:
    video = tmp_path / "steps.mp4"
    write_video(video)
    seen: list[float] = []

    with depthai.Pipeline(False) as pipeline:
        replay = pipeline.create(depthai.node.ReplayVideo)
        replay.setReplayVideoFile(video)
        replay.setSize(SIZE_WH)
        replay.setOutFrameType(depthai.ImgFrame.Type.BGR888i)
        replay.setLoop(False)
        queue = replay.out.createOutputQueue(maxSize=2 * PICTURES, blocking=True)
        pipeline.start()
        deadline = time.monotonic() + 20
        while len(seen) < PICTURES and time.monotonic() < deadline:
            message = queue.tryGet()
            if message is None:
                time.sleep(0.01)
                continue
            picture = message.getCvFrame()
            assert picture.shape == (SIZE_WH[1], SIZE_WH[0], 3)
            seen.append(float(picture.mean()))

    assert seen == pytest.approx([number * STEP for number in range(PICTURES)], abs=2)
