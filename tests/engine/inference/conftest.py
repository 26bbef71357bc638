"""Videos of the drawn scene, made once."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from omma_engine.sources.scene import SceneRenderer
from omma_engine.sources.scene_options import SceneOptions
from tests.engine.inference.recorded import START_US, write_video

FPS = 10


def scene_pictures(frames: range) -> Iterator[npt.NDArray[np.uint8]]:
    """Draw the scene; the first person walks in after 3 s and is gone after 15."""
    renderer = SceneRenderer(SceneOptions(fps=FPS, has_code=False, has_clock=False))
    for index in frames:
        yield renderer.render(index, START_US + index * 1_000_000 // FPS)


@pytest.fixture(scope="session")
def visit_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s: quiet, then a person walks through, then quiet; a keyframe each 2 s."""
    return write_video(tmp_path_factory.mktemp("video") / "visit.mp4", scene_pictures(range(200)), fps=FPS)


@pytest.fixture(scope="session")
def quiet_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s in which nothing happens, with B-frames."""
    pictures = list(scene_pictures(range(1))) * 200
    return write_video(tmp_path_factory.mktemp("video") / "quiet.mp4", pictures, fps=FPS, b_frames=2)
