"""Detectors from ONNX files, through ONNX Runtime."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnxruntime

from omma_engine.detect.base import Detections, Picture
from omma_engine.detect.geometry import surviving_boxes
from omma_engine.detect.layout import DetectorLayout, TensorInfo, read_layout
from omma_engine.detect.letterbox import Letterbox, letterbox
from omma_engine.detect.settings import OnnxSettings
from omma_engine.errors import DetectorError, ModelLayoutError

_MAX_CANDIDATES = 3000  # boxes above the floor that go into suppression, the best ones


class OnnxDetector:
    """Runs a detector whose layout is `omma_engine.detect.layout`'s. It keeps nothing between calls."""

    def __init__(self, model: bytes, settings: OnnxSettings | None = None) -> None:
        """Load from bytes, so that no file beside the model can be read.

        Raises `ModelLayoutError` for a layout that is not ours and `DetectorError` when the runtime refuses.
        """
        self._settings = settings or OnnxSettings()
        self._session = _open_session(model, threads=self._settings.threads)
        self.layout = _layout_of(self._session)
        width, height = self.layout.size_wh
        self._input = np.zeros((self.layout.max_batch, 3, height, width), dtype=np.float32)

    @property
    def labels(self) -> tuple[str, ...]:
        return self.layout.labels

    @property
    def max_batch(self) -> int:
        return self.layout.max_batch

    def detect(self, pictures: Sequence[Picture], *, at_us: Sequence[int]) -> list[Detections]:
        """Return one result a picture, in order, running as many at once as the model takes."""
        step = self.max_batch
        found: list[Detections] = []
        for start in range(0, len(pictures), step):
            found += self._detect_batch(pictures[start : start + step])
        return found

    def run_raw(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the head's output `(B, 4 + classes, N)` for a `(B, 3, H, W)` float32 batch in 0-1."""
        try:
            (head,) = self._session.run([self.layout.output_name], {self.layout.input_name: batch})
        except Exception as exc:
            raise DetectorError(f"the model failed on a picture: {exc}") from exc
        rows = 4 + len(self.layout.labels)
        if head.ndim != 3 or head.shape[0] != len(batch) or head.shape[1] != rows:
            raise ModelLayoutError(
                f"output {self.layout.output_name}: expected ({len(batch)}, {rows}, N), got {head.shape}"
            )
        return np.asarray(head, dtype=np.float32)

    def _detect_batch(self, pictures: Sequence[Picture]) -> list[Detections]:
        boxes = [letterbox(picture, into=self._input[index]) for index, picture in enumerate(pictures)]
        heads = self.run_raw(self._input[: len(pictures)])
        return [self._read_head(head, box) for head, box in zip(heads, boxes, strict=True)]

    def _read_head(self, head: npt.NDArray[np.float32], box: Letterbox) -> Detections:
        """Return the boxes of one `(4 + classes, N)` output in pixels of the picture."""
        classes = head[4:].argmax(axis=0)
        scores = np.nan_to_num(head[4:].max(axis=0), nan=0.0)
        above = np.flatnonzero(scores >= self._settings.score_floor)
        if len(above) > _MAX_CANDIDATES:
            above = above[np.argsort(-scores[above])[:_MAX_CANDIDATES]]
        centre, size = head[:2, above], head[2:4, above]
        in_picture = box.boxes_in_picture(np.concatenate([centre - size / 2, centre + size / 2]).T)
        usable = np.isfinite(in_picture).all(axis=1) & (in_picture[:, 2:] > in_picture[:, :2] + 1).all(axis=1)
        boxes, above = in_picture[usable], above[usable]
        kept = surviving_boxes(
            boxes,
            scores[above],
            classes[above],
            score_floor=self._settings.score_floor,
            overlap=self._settings.overlap,
        )
        above = above[kept]
        labels = tuple(self.layout.labels[index] for index in classes[above])
        return Detections(boxes[kept], np.clip(scores[above], 0, 1).astype(np.float32), labels)


def _open_session(model: bytes, *, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # else idle threads burn a core
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as exc:
        raise DetectorError(f"the model cannot be loaded: {exc}") from exc


def _layout_of(session: onnxruntime.InferenceSession) -> DetectorLayout:
    return read_layout(
        [TensorInfo(item.name, item.type, tuple(item.shape)) for item in session.get_inputs()],
        [TensorInfo(item.name, item.type, tuple(item.shape)) for item in session.get_outputs()],
        session.get_modelmeta().custom_metadata_map,
    )
