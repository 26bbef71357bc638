"""Detectors from `.pt` files, run by Ultralytics in a sandboxed process of their own.

Such a file is a pickle, which can run anything when it is loaded; so it is loaded where there is no network,
no environment of ours and nothing to write to. Pictures go there over a pipe and detections come back.
"""

import importlib.util
import json
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from omma_engine.detect.base import Detections, Picture
from omma_engine.detect.sandbox import ultralytics_environment
from omma_engine.detect.settings import OnnxSettings
from omma_engine.errors import DetectorError

MISSING = "Ultralytics is not installed here: it comes with the extra [yolo] (pip install 'omma[yolo]')"

_LOAD_S = 120.0
_RUN_S = 30.0
_MAX_ANSWER_BYTES = 64 << 20


def has_ultralytics() -> bool:
    """Tell whether the extra is installed."""
    return importlib.util.find_spec("ultralytics") is not None


class TorchDetector:
    """Runs a `.pt` file. It keeps nothing between calls, and starts its process anew when that has died."""

    max_batch = 8

    def __init__(self, path: Path, settings: OnnxSettings | None = None) -> None:
        """Load the file. Raises `DetectorError` when that fails, and where Ultralytics is not installed."""
        if not has_ultralytics():
            raise DetectorError(MISSING)
        self._path = path
        self._settings = settings or OnnxSettings()
        self._child: _Child | None = None
        self._labels = self._begin()

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    def detect(self, pictures: Sequence[Picture], *, at_us: Sequence[int]) -> list[Detections]:
        """Return one result a picture, in order."""
        if not pictures:
            return []
        if self._child is None:
            self._begin()
        answer = self._ask({"shapes": [picture.shape for picture in pictures]}, pictures, _RUN_S)
        return [_decoded(result) for result in answer["results"]]

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def __del__(self) -> None:
        self.close()

    def _begin(self) -> tuple[str, ...]:
        self._child = _Child(self._path)
        settings = self._settings
        hello = {
            "score_floor": settings.score_floor,
            "overlap": settings.overlap,
            "threads": settings.threads,
        }
        return tuple(self._ask(hello, (), _LOAD_S)["labels"])

    def _ask(self, question: dict[str, Any], pictures: Sequence[Picture], timeout_s: float) -> dict[str, Any]:
        child = self._child
        if child is None:
            raise DetectorError("the model's process has ended")
        try:
            answer = child.ask(question, pictures, timeout_s)
        except (OSError, ValueError) as exc:
            self.close()
            raise DetectorError(f"the model's process failed: {exc}") from exc
        if "error" in answer:
            raise DetectorError(str(answer["error"]))
        return answer


class _Child:
    """The process, and the pipes to it."""

    def __init__(self, path: Path) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="omma-yolo-")
        engine = str(Path(__file__).parents[2])
        boot = (
            "import sys; sys.path.append(sys.argv[1]); "
            "from omma_engine.detect.torch_child import main; main(sys.argv[2])"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", boot, engine, str(path)],
            env=ultralytics_environment(Path(self._home.name)),
            cwd=self._home.name,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ask(self, question: dict[str, Any], pictures: Sequence[Picture], timeout_s: float) -> dict[str, Any]:
        """Send a line and the pictures' bytes; return the line that comes back."""
        stdin = _pipe(self._process.stdin)
        stdin.write(json.dumps(question).encode() + b"\n")
        for picture in pictures:
            stdin.write(np.ascontiguousarray(picture).data)
        stdin.flush()
        answer = json.loads(self._line(timeout_s))
        if not isinstance(answer, dict):
            raise ValueError("expected an object")
        return answer

    def _line(self, timeout_s: float) -> bytes:
        descriptor = _pipe(self._process.stdout).fileno()
        deadline, parts, size = time.monotonic() + timeout_s, [], 0
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while size <= _MAX_ANSWER_BYTES:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not selector.select(left_s):
                    raise TimeoutError(f"no answer within {timeout_s:g} s")
                part = self._process.stdout.read1(1 << 20) if self._process.stdout else b""  # type: ignore[attr-defined]
                if not part:
                    raise ConnectionError("it ended")
                parts.append(part)
                size += len(part)
                if part.endswith(b"\n"):
                    return b"".join(parts)
        raise ValueError("its answer is too long")

    def end(self) -> None:
        self._process.kill()
        self._process.wait(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not yet sent to a process that is gone
                    continue
        self._home.cleanup()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ConnectionError("it has no pipe")
    return pipe


def _decoded(result: dict[str, Any]) -> Detections:
    outlines = result.get("outlines")
    keypoints = result.get("keypoints")
    return Detections(
        boxes_xyxy=np.array(result["boxes"], dtype=np.float32).reshape(-1, 4),
        scores=np.array(result["scores"], dtype=np.float32),
        labels=tuple(result["labels"]),
        outlines=None
        if outlines is None
        else tuple(np.array(outline, dtype=np.float32).reshape(-1, 2) for outline in outlines),
        keypoints=None if keypoints is None else np.array(keypoints, dtype=np.float32),
    )
