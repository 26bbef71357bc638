"""Look at an uploaded model and run it once, in a process that has nothing to lose.

`check_model` starts `python -m omma_engine.detect.canary FILE` without our environment, with bounded time,
memory and files, without a network where the system lets a process give it up; the child inspects the file
before the runtime sees it, and answers with one line of JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from omma_engine.detect.sandbox import Limits, give_up
from omma_engine.errors import DetectorError, ModelLayoutError, UnsafeModelError

DEFAULT_TIMEOUT_S = 60.0
_LIMITS = Limits(cpu_s=60, memory_bytes=6 << 30, file_bytes=0, open_files=64)


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What was found out about a model that can be run. `run_ms` is one picture's time, the second one's."""

    task: str
    head: str
    labels: list[str]
    input_size_wh: list[int]
    max_batch: int
    nodes: int
    opset: int
    producer: str
    licence: str
    author: str
    description: str
    run_ms: float


def check_model(
    path: Path, *, labels: Sequence[str] = (), timeout_s: float = DEFAULT_TIMEOUT_S
) -> ModelReport:
    """Return what the file is, after having run it on a blank picture in a child of its own.

    `labels` name the classes of a file that names none. Raises `ModelLayoutError` for a layout that is not
    known, and `DetectorError` for everything else that is wrong with the file, in words that can be shown to
    whoever sent it.
    """
    command = [sys.executable, "-I", "-c", _BOOT, str(Path(__file__).parents[2]), str(path), *labels]
    try:
        child = subprocess.run(
            command,
            env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise DetectorError(f"the model did not run within {timeout_s:g} s") from None
    return _read_answer(child.stdout, child.returncode)


# -I keeps the environment and the working folder out of the import path; the engine's own folder is put back.
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from omma_engine.detect.canary import main; sys.exit(main(sys.argv[2], sys.argv[3:]))"
)


def _read_answer(output: bytes, status: int) -> ModelReport:
    try:
        answer = json.loads(output.splitlines()[-1])
    except (ValueError, IndexError):
        raise DetectorError(f"the model ended the process that tried it (status {status})") from None
    if "error" in answer:
        known = {kind.code: kind for kind in (ModelLayoutError, UnsafeModelError)}
        raise known.get(answer["code"], DetectorError)(answer["error"])
    return ModelReport(**answer)


def main(path: str, labels: Sequence[str] = ()) -> int:
    """Run in the child: print the report, or what is wrong."""
    give_up(_LIMITS)
    try:
        answer = asdict(_try(Path(path), labels))
    except DetectorError as exc:
        answer = {"error": str(exc)[:500], "code": exc.code}
    except MemoryError:
        answer = {"error": "the model needs more memory than is allowed", "code": DetectorError.code}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return 0


def _try(path: Path, labels: Sequence[str]) -> ModelReport:
    # Imported here, under the limits: both parse and run what somebody sent.
    import numpy as np

    from omma_engine.detect.inspection import MAX_FILE_BYTES, inspect_model
    from omma_engine.detect.onnx_detector import OnnxDetector

    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    facts = inspect_model(content)
    detector = OnnxDetector(content, labels=labels)
    width, height = detector.layout.size_wh
    blank = np.full((height, width, 3), 127, dtype=np.uint8)
    detector.detect([blank], at_us=[0])
    began_s = time.perf_counter()
    outputs = detector.run_raw(np.full((1, 3, height, width), 0.5, dtype=np.float32))
    run_ms = (time.perf_counter() - began_s) * 1000
    if not all(np.isfinite(output).all() for output in outputs):
        raise DetectorError("the model's output for a blank picture is not finite")
    return ModelReport(
        task=detector.layout.task,
        head=detector.layout.head,
        labels=list(detector.labels),
        input_size_wh=[width, height],
        max_batch=detector.max_batch,
        nodes=facts.nodes,
        opset=facts.opset,
        producer=facts.producer,
        licence=facts.metadata.get("license", "")[:120],
        author=facts.metadata.get("author", "")[:120],
        description=facts.metadata.get("description", "")[:1000],
        run_ms=round(run_ms, 2),
    )
