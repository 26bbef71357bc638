"""The process that holds a `.pt` model: pictures in on standard input, detections out on standard output."""

import json
import os
import sys
from typing import IO, Any

from omma_engine.detect.sandbox import Limits, give_up

_LIMITS = Limits(file_bytes=1 << 20, open_files=256)


def main(path: str) -> None:
    """Load the model and answer until standard input ends."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the library prints is no answer
    give_up(_LIMITS)
    try:
        settings = json.loads(questions.readline())
        model = _load(path, int(settings["threads"]))
    except Exception as exc:  # noqa: BLE001 - whatever a pickle may raise
        _say(answers, {"error": f"the model cannot be loaded: {type(exc).__name__}: {exc}"[:500]})
        return
    _say(answers, {"labels": [model.names[index] for index in sorted(model.names)]})
    while line := questions.readline():
        pictures = [_picture(questions, shape) for shape in json.loads(line)["shapes"]]
        try:
            results = model.predict(
                pictures, conf=settings["score_floor"], iou=settings["overlap"], verbose=False, device="cpu"
            )
            _say(answers, {"results": [_encoded(result) for result in results]})
        except Exception as exc:  # noqa: BLE001 - the next picture may do
            _say(answers, {"error": f"the model failed on a picture: {exc}"[:500]})


def _load(path: str, threads: int) -> Any:
    import torch
    from ultralytics import YOLO

    torch.set_num_threads(threads)
    return YOLO(path)


def _picture(questions: IO[bytes], shape: list[int]) -> Any:
    import numpy as np

    height, width, channels = shape
    data = questions.read(height * width * channels)
    return np.frombuffer(data, dtype=np.uint8).reshape(height, width, channels).copy()


def _encoded(result: Any) -> dict[str, Any]:
    names = result.names
    if result.probs is not None:
        height, width = result.orig_shape
        best = [int(index) for index in result.probs.top5]
        return {
            "boxes": [[0, 0, width, height]] * len(best),
            "scores": [float(result.probs.data[index]) for index in best],
            "labels": [names[index] for index in best],
        }
    boxes = result.boxes if result.obb is None else result.obb
    encoded: dict[str, Any] = {
        "boxes": boxes.xyxy.tolist(),
        "scores": boxes.conf.tolist(),
        "labels": [names[int(index)] for index in boxes.cls],
    }
    if result.masks is not None:
        encoded["outlines"] = [outline.tolist() for outline in result.masks.xy]
    if result.obb is not None:
        encoded["outlines"] = result.obb.xyxyxyxy.tolist()
    if result.keypoints is not None:
        encoded["keypoints"] = result.keypoints.data.tolist()
    return encoded


def _say(answers: IO[bytes], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()
