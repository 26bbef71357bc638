"""The child that works: `python -m omma_engine.workshop.child FOLDER`.

`FOLDER/job.json` says what to do: `{"kind": "convert", "train" or "import", "source": …, …}`.
The child writes `progress.json` as it goes, and at the end `result.json`: the file's name in the folder, or
what went wrong. Whoever waits for it touches `beat`; when nobody has done so for a minute, the child ends.
It has no environment of ours and, where the system allows that, no network.
"""

import json
import logging
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from omma_engine.detect.sandbox import Limits, give_up
from omma_engine.errors import EngineError

logger = logging.getLogger(__name__)

BEAT, JOB, PROGRESS, RESULT = "beat", "job.json", "progress.json", "result.json"
ORPHAN_S = 60.0
_LIMITS = Limits(memory_bytes=24 << 30, file_bytes=4 << 30, open_files=1024)
_WATCH_S = 2.0
_NICENESS = 10


def main(folder: Path) -> int:
    """Work, and leave the result in the folder."""
    os.nice(_NICENESS)
    give_up(_LIMITS, dies_with_parent=False)
    threading.Thread(target=_end_as_an_orphan, args=(folder,), daemon=True).start()
    try:
        result = {"file": _work(folder).relative_to(folder).as_posix()}
    except EngineError as exc:
        result = {"error": str(exc)[:1000], "code": getattr(exc, "reason", exc.code)}
    except MemoryError:
        result = {"error": "this needs more memory than is allowed"}
    except Exception as exc:  # other people's libraries raise what they like
        logger.exception("the work failed")
        result = {"error": f"{type(exc).__name__}: {exc}"[:1000]}
    write_whole(folder / RESULT, result)
    return 0


def write_whole(path: Path, content: dict[str, Any]) -> None:
    """Write JSON so that a reader finds all of it or nothing."""
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    unfinished.write_text(json.dumps(content))
    unfinished.replace(path)


def _work(folder: Path) -> Path:
    job = json.loads((folder / JOB).read_text())
    source = Path(job["source"])

    def report(share: float) -> None:
        write_whole(folder / PROGRESS, {"progress": round(share, 4)})

    if job["kind"] == "train":
        from omma_engine.workshop.training import train

        return train(source, folder, job["options"], report)
    if job["kind"] == "import":
        from omma_engine.importing.job import run

        return run(job, folder, report)
    from omma_engine.workshop.converters import converter_for

    return converter_for(job["target"]).convert(source, folder, report)


def _end_as_an_orphan(folder: Path) -> None:
    while True:
        time.sleep(_WATCH_S)
        try:
            silent_s = time.time() - (folder / BEAT).stat().st_mtime
        except OSError:
            silent_s = ORPHAN_S + 1
        if silent_s > ORPHAN_S:
            os._exit(3)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    sys.exit(main(Path(sys.argv[1])))
