"""What this installation can run: tasks, heads, runtimes with what they lack, and parameters."""

import importlib.util
from typing import Any

from django.conf import settings

from apps.catalog.models import ModelTask, Runtime
from apps.catalog.parameters import known_parameters
from omma_engine.detect.heads import Head
from omma_engine.workshop import training

_BUILT_IN = ("motion", "people", "faces")


def algorithms() -> dict[str, Any]:
    """Return the supported algorithms, by plain names."""
    return {
        "tasks": [{"name": value, "title": label} for value, label in ModelTask.choices],
        "heads": [str(head) for head in Head],
        "runtimes": [
            {"name": Runtime.OPENCV, "title": "OpenCV", "missing": ""},
            {"name": Runtime.ONNX, "title": f"ONNX Runtime ({settings.OMMA_ONNX_PROVIDER})", "missing": ""},
            {"name": Runtime.ULTRALYTICS, "title": "Ultralytics", "missing": training.missing()},
        ],
        "detectors": [
            *({"name": name, "parameters": known_parameters(name)} for name in _BUILT_IN),
            {"name": "onnx", "parameters": known_parameters("")},
        ],
        "trackers": [
            {"name": "bytetrack", "title": "ByteTrack, for objects"},
            {"name": "episodes", "title": "Episodes, for motion"},
        ],
        "training": {"available": importlib.util.find_spec("ultralytics") is not None},
    }
