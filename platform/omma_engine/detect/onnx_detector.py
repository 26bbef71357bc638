"""Detectors from ONNX files, through ONNX Runtime."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from omma_engine.detect.base import Detections, Picture
from omma_engine.detect.candidates import Floats, read_candidates
from omma_engine.detect.findings import class_findings, findings
from omma_engine.detect.fitting import Fit, Placement, Tone, place
from omma_engine.detect.heads import Head
from omma_engine.detect.layout import ModelLayout, TensorInfo, read_image, read_layout
from omma_engine.detect.sessions import Provider, Session
from omma_engine.detect.settings import OnnxSettings
from omma_engine.errors import ModelLayoutError

_PREPARED = {  # how the picture is prepared; the others want the whole picture in the middle, RGB 0-1
    Head.CLASSES: (Fit.CROP, Tone.UNIT),
    Head.YOLOX: (Fit.CORNER, Tone.RAW),
    Head.DETR: (Fit.STRETCH, Tone.IMAGENET),
    Head.DETR_SIGMOID: (Fit.STRETCH, Tone.UNIT),
    Head.RT_DETR: (Fit.STRETCH, Tone.UNIT),
    Head.RT_DETR_CHOSEN: (Fit.STRETCH, Tone.UNIT),
}


class OnnxDetector:
    """Runs a model whose layout is one of `omma_engine.detect.layout`'s. It keeps nothing between calls."""

    def __init__(
        self,
        model: bytes,
        settings: OnnxSettings | None = None,
        *,
        labels: Sequence[str] = (),
        provider: Provider = Provider.CPU,
    ) -> None:
        """Load a file's bytes; `labels` name the classes where it does not.

        Raises `ModelLayoutError` for a layout that is not known and `DetectorError` when the runtime refuses.
        """
        self._settings = settings or OnnxSettings()
        self._session = Session(model, threads=self._settings.threads, provider=provider)
        session = self._session
        self.layout: ModelLayout = read_layout(
            session.inputs, _shown_outputs(session), session.metadata, labels=labels
        )
        self._fit, self._tone = _PREPARED.get(self.layout.head, (Fit.CENTRE, Tone.UNIT))
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

    def run_raw(self, batch: Floats) -> list[Floats]:
        """Return the outputs that the head reads, float32, for a prepared `(B, 3, H, W)` float32 batch."""
        layout = self.layout
        given: npt.NDArray[Any] = batch.astype(np.float16) if layout.is_half else batch
        outputs = self._session.run(layout.outputs, layout.input_name, given)
        for name, output in zip(layout.outputs, outputs, strict=True):
            if output.ndim < 2 or output.shape[0] != len(batch):
                raise ModelLayoutError(f"output {name}: expected a batch of {len(batch)}, got {output.shape}")
        return [np.asarray(output, dtype=np.float32) for output in outputs]

    def _detect_batch(self, pictures: Sequence[Picture]) -> list[Detections]:
        placements = [
            place(picture, into=self._input[index], fit=self._fit, tone=self._tone)
            for index, picture in enumerate(pictures)
        ]
        outputs = self.run_raw(self._input[: len(pictures)])
        return [
            self._read([output[index] for output in outputs], placement)
            for index, placement in enumerate(placements)
        ]

    def _read(self, outputs: list[Floats], placement: Placement) -> Detections:
        """Return what the outputs of one picture say."""
        if self.layout.head is Head.CLASSES:
            return class_findings(self.layout, outputs[0], placement, self._settings)
        _check_rows(self.layout, outputs[0])
        candidates = read_candidates(self.layout, outputs, score_floor=self._settings.score_floor)
        prototypes = outputs[1] if len(outputs) > 1 and outputs[1].ndim == 3 else None
        return findings(self.layout, candidates, placement, self._settings, prototypes)


def _shown_outputs(session: Session) -> list[TensorInfo]:
    """Return the outputs; where the file leaves their sides free, with those that a run gives."""
    outputs = session.outputs
    if all(isinstance(side, int) for output in outputs for side in output.shape[1:]):
        return outputs
    image, size_wh, is_half = read_image(session.inputs, session.metadata)
    blank = np.zeros((1, 3, size_wh[1], size_wh[0]), dtype=np.float16 if is_half else np.float32)
    found = session.run(tuple(output.name for output in outputs), image.name, blank)
    return [
        replace(output, shape=(output.shape[0] if output.shape else None, *value.shape[1:]))
        for output, value in zip(outputs, found, strict=True)
    ]


def _check_rows(layout: ModelLayout, output: Floats) -> None:
    """Refuse what only a run can show: an output whose free sides do not fit its classes."""
    numbers = output.shape[0] if layout.head is Head.ULTRALYTICS else output.shape[-1]
    least = {Head.END_TO_END: 6, Head.RT_DETR_CHOSEN: 6, Head.DETR: len(layout.labels) + 1}
    more = 5 if layout.head in (Head.YOLOV5, Head.YOLOX) else 4
    needed = least.get(layout.head, more + len(layout.labels))
    if layout.head is Head.DETR_SIGMOID:
        needed = len(layout.labels)
    if output.ndim != 2 or numbers < needed:
        raise ModelLayoutError(
            f"output {layout.outputs[0]}: expected {needed} numbers or more a box, got {output.shape}"
        )
