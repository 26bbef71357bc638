"""Look at an uploaded model and run it once, in a process that has nothing to lose.

`check_model` starts `python -m omma_engine.detect.canary FILE` without our environment, with bounded time,
memory and files, without a network where the system lets a process give it up; the child inspects the file
before the runtime sees it, and answers with one line of JSON.
"""

import ctypes
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from omma_engine.errors import DetectorError, ModelLayoutError, UnsafeModelError

DEFAULT_TIMEOUT_S = 60.0
_CPU_S = 60
_MEMORY_BYTES = 6 << 30
_OPEN_FILES = 64
_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000  # unshare(2)


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What was found out about a model that can be run. `run_ms` is one picture's time, the second one's."""

    labels: list[str]
    input_size_wh: list[int]
    max_batch: int
    nodes: int
    opset: int
    producer: str
    licence: str
    description: str
    run_ms: float


def check_model(path: Path, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> ModelReport:
    """Return what the file is, after having run it on a blank picture in a child of its own.

    Raises `ModelLayoutError` for a layout that is not ours, and `DetectorError` for everything else that is
    wrong with the file, in words that can be shown to whoever sent it.
    """
    command = [sys.executable, "-I", "-c", _BOOT, str(Path(__file__).parents[2]), str(path)]
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
    "from omma_engine.detect.canary import main; sys.exit(main(sys.argv[2]))"
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


def main(path: str) -> int:
    """Run in the child: print the report, or what is wrong."""
    _give_up_what_is_not_needed()
    try:
        answer = asdict(_try(Path(path)))
    except DetectorError as exc:
        answer = {"error": str(exc)[:500], "code": exc.code}
    except MemoryError:
        answer = {"error": "the model needs more memory than is allowed", "code": DetectorError.code}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return 0


def _try(path: Path) -> ModelReport:
    # Imported here, under the limits: both parse and run what somebody sent.
    import numpy as np

    from omma_engine.detect.inspection import MAX_FILE_BYTES, inspect_model
    from omma_engine.detect.onnx_detector import OnnxDetector

    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    facts = inspect_model(content)
    detector = OnnxDetector(content)
    width, height = detector.layout.size_wh
    blank = np.full((1, 3, height, width), 0.5, dtype=np.float32)
    detector.run_raw(blank)
    began_s = time.perf_counter()
    head = detector.run_raw(blank)
    run_ms = (time.perf_counter() - began_s) * 1000
    if not np.isfinite(head).all():
        raise DetectorError("the model's output for a blank picture is not finite")
    return ModelReport(
        labels=list(detector.labels),
        input_size_wh=[width, height],
        max_batch=detector.max_batch,
        nodes=facts.nodes,
        opset=facts.opset,
        producer=facts.producer,
        licence=facts.metadata.get("license", "")[:120],
        description=facts.metadata.get("description", "")[:1000],
        run_ms=round(run_ms, 2),
    )


def _give_up_what_is_not_needed() -> None:
    for kind, limit in (
        (resource.RLIMIT_CPU, _CPU_S),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        resource.setrlimit(kind, (limit, limit))
    if sys.platform == "linux":  # where namespaces are forbidden, the process keeps the network and uses none
        libc = ctypes.CDLL(None)
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
