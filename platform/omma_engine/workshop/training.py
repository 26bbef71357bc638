"""Training of a detector by Ultralytics on a dataset of pictures and labels, from scratch."""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omma_engine.detect.metadata import checked_labels
from omma_engine.errors import DetectorError, UnsafeArchiveError
from omma_engine.workshop.archives import unpack
from omma_engine.workshop.converters import Report

MISSING = "Ultralytics is not installed here: it comes with the extra [yolo] (pip install 'omma[yolo]')"
TINY = "tiny"
ARCHITECTURE = re.compile(r"tiny|yolo(v8|11|26)[nsm]", re.ASCII)
_TINY_SETTINGS = {  # few pictures, few steps: a warm-up would be all of them
    "optimizer": "AdamW", "lr0": 0.004, "warmup_epochs": 0.0, "mosaic": 0.0,
}  # fmt: skip
MAX_PICTURE_PIXELS = 1 << 26
_MAX_DESCRIPTION_BYTES = 64 << 10
_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
_TINY_SCALE = [0.33, 0.125, 512]  # depth, width and most channels, as shares of the full architecture


def missing() -> str:
    """Return what must be installed before anything can be trained, or nothing."""
    return "" if importlib.util.find_spec("ultralytics") else MISSING


def train(dataset: Path, folder: Path, options: Mapping[str, Any], report: Report) -> Path:
    """Return the trained model as ONNX. Begun training goes on where its last epoch ended.

    `options` are `architecture`, `epochs`, `picture_px`, `batch` and `seed`.
    """
    from ultralytics import YOLO

    last = folder / "run" / "weights" / "last.pt"
    if last.exists():
        model = YOLO(last)
        _tell_epochs(model, report)
        model.train(resume=True)
    else:
        description = _prepared(dataset, folder)
        model = YOLO(_architecture(str(options["architecture"]), folder))
        _tell_epochs(model, report)
        model.train(
            data=str(description), epochs=int(options["epochs"]), imgsz=int(options["picture_px"]),
            batch=int(options["batch"]), seed=int(options["seed"]), project=str(folder), name="run",
            exist_ok=True, device="cpu", workers=0, plots=False, verbose=False, val=True, amp=False,
            pretrained=False, **(_TINY_SETTINGS if options["architecture"] == TINY else {}),
        )  # fmt: skip
    best = folder / "run" / "weights" / "best.pt"
    exported = YOLO(best).export(
        format="onnx", imgsz=int(options["picture_px"]), simplify=False, verbose=False
    )
    return Path(exported)


def _tell_epochs(model: Any, report: Report) -> None:
    def tell(trainer: Any) -> None:
        report(min(0.99, (trainer.epoch + 1) / trainer.epochs))

    model.add_callback("on_fit_epoch_end", tell)


def _prepared(dataset: Path, folder: Path) -> Path:
    """Unpack the dataset and write a description of our own: theirs may name commands to run."""
    place = folder / "dataset"
    _clear(place)
    files = unpack(dataset, place)
    _check_pictures(files)
    described_in = [file for file in files if file.name == "data.yaml"]
    found = min(described_in, key=lambda file: len(file.parts), default=None)
    if found is None:
        raise UnsafeArchiveError("expected a data.yaml in the dataset")
    described = _read_description(found)
    names = _names(described)
    lines = [f"path: {found.parent}"]
    for part in ("train", "val"):
        inside = _inside(found.parent, described.get(part), part)
        lines.append(f"{part}: {inside}")
    lines.append("names:")
    lines += [f"  {number}: {_quoted(name)}" for number, name in enumerate(names)]
    ours = folder / "data.yaml"
    ours.write_text("\n".join(lines) + "\n")
    return ours


def _clear(place: Path) -> None:
    import shutil

    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)


def _check_pictures(files: list[Path]) -> None:
    """Refuse pictures that would unpack to more than memory: their headers say how large they are."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None
    pictures = [file for file in files if file.suffix.lower() in _PICTURES]
    if not pictures:
        raise UnsafeArchiveError("expected pictures in the dataset, got none")
    for file in pictures:
        try:
            with Image.open(file) as picture:
                pixels = picture.width * picture.height
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
            raise UnsafeArchiveError(f"expected a picture at {file.name[:80]!r}") from None
        if pixels > MAX_PICTURE_PIXELS:
            raise UnsafeArchiveError(
                f"expected at most {MAX_PICTURE_PIXELS} pixels, got {pixels} in {file.name[:80]!r}"
            )


def _read_description(file: Path) -> dict[str, Any]:
    import yaml

    if file.stat().st_size > _MAX_DESCRIPTION_BYTES:
        raise UnsafeArchiveError("expected a short data.yaml")
    try:
        described = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as exc:
        raise UnsafeArchiveError(f"data.yaml cannot be read: {str(exc)[:200]}") from None
    if not isinstance(described, dict):
        raise UnsafeArchiveError("data.yaml: expected names, train and val")
    return described


def _names(described: Mapping[str, Any]) -> tuple[str, ...]:
    names = described.get("names")
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[index] for index in range(len(names))]
    if not isinstance(names, list) or not names:
        raise UnsafeArchiveError("data.yaml: expected names, a list of labels")
    return checked_labels([str(name) for name in names])


def _inside(root: Path, value: object, part: str) -> str:
    if not isinstance(value, str) or not (root / value).resolve().is_relative_to(root.resolve()):
        raise UnsafeArchiveError(f"data.yaml: expected {part} to be a folder of the dataset")
    if not (root / value).is_dir():
        raise UnsafeArchiveError(f"data.yaml: there is no folder {value[:80]!r} for {part}")
    return value


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _architecture(name: str, folder: Path) -> str:
    if not ARCHITECTURE.fullmatch(name):
        raise DetectorError(
            f"expected an architecture of tiny, yolov8n, yolo11n, yolo26n (or s, m), got {name[:60]!r}"
        )
    if name != TINY:
        return f"{name}.yaml"
    import ultralytics
    import yaml

    source = Path(ultralytics.__file__).parent / "cfg" / "models" / "v8" / "yolov8.yaml"
    described = yaml.safe_load(source.read_text(encoding="utf-8"))
    described["scales"] = {"n": _TINY_SCALE}
    ours = folder / "yolov8n-tiny.yaml"
    ours.write_text(yaml.safe_dump(described))
    return str(ours)
