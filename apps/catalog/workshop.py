"""Long work in a child of its own, watched by turns of a job.

A turn starts the child or finds it at work, tells its progress for a while, and ends; the job goes on in the
next turn. The child outlives a turn and a worker's restart, and ends when nobody has asked for a minute.
"""

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from apps.catalog import files
from apps.core import jobs
from apps.core.exceptions import InvalidInputError
from apps.core.models import Task, TaskState
from omma_engine.detect.sandbox import ultralytics_environment
from omma_engine.workshop.child import BEAT, JOB, PROGRESS, RESULT, write_whole

TURN_S = 15.0
LOOK_S = 0.25
MAX_STARTS = 3
_DEATH_S = 5.0
_STARTS, _PID = "starts.json", "pid.json"


def folder_of(task_id: UUID) -> Path:
    """Return where a job's child works."""
    return files.folder() / "work" / str(task_id)


def take_turn(task: Task, job: Mapping[str, Any]) -> Path:
    """Return the file that the work gave.

    Raises `jobs.Unfinished` while it goes on, and `InvalidInputError` with what went wrong.
    """
    folder = folder_of(task.id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BEAT).touch()
    if not (folder / RESULT).exists() and not _is_working(folder):
        _start(folder, job)
    deadline, told = time.monotonic() + TURN_S, -1.0
    while time.monotonic() < deadline:
        (folder / BEAT).touch()
        if (folder / RESULT).exists():
            return _result(folder)
        if not Task.objects.filter(id=task.id, state=TaskState.RUNNING).exists():
            discard(task.id)
            raise InvalidInputError("The work was cancelled.", code="cancelled")
        if not _is_working(folder):
            break
        progress = float(_read(folder / PROGRESS).get("progress", 0.0))
        if progress != told:
            told = progress
            jobs.report_progress(task, progress)
        time.sleep(LOOK_S)
    if (folder / RESULT).exists():
        return _result(folder)
    raise jobs.Unfinished


def discard(task_id: UUID) -> None:
    """End the child, if it still works, and delete what it made."""
    folder = folder_of(task_id)
    process = _process(folder)
    if process is not None:
        process.kill()
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(_DEATH_S)
    shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, job: Mapping[str, Any]) -> None:
    starts = int(_read(folder / _STARTS).get("starts", 0)) + 1
    if starts > MAX_STARTS:
        raise InvalidInputError(f"The work ended {MAX_STARTS} times before it was done.", code="work_died")
    write_whole(folder / _STARTS, {"starts": starts})
    write_whole(folder / JOB, dict(job))
    pid = _spawn(folder)
    write_whole(folder / _PID, {"pid": pid, "began": psutil.Process(pid).create_time()})


def _spawn(folder: Path) -> int:
    """Start the child in a session of its own, so that it outlives this turn; return its id."""
    engine = str(Path(__file__).parents[2] / "platform")
    boot = (
        "import os, sys; os.chdir(sys.argv[2]); sys.path.append(sys.argv[1]); from pathlib import Path; "
        "from omma_engine.workshop.child import main; sys.exit(main(Path(sys.argv[2])))"
    )
    log = str(folder / "log.txt")
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-c", boot, engine, str(folder)],
        {**ultralytics_environment(folder), "OMP_NUM_THREADS": "2"},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _is_working(folder: Path) -> bool:
    process = _process(folder)
    if process is None:
        return False
    with contextlib.suppress(ChildProcessError):  # another worker's, or one of before a restart
        os.waitpid(process.pid, os.WNOHANG)
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _process(folder: Path) -> psutil.Process | None:
    known = _read(folder / _PID)
    try:
        process = psutil.Process(int(known["pid"]))
        return process if process.create_time() == known["began"] else None
    except (KeyError, psutil.Error):
        return None


def _result(folder: Path) -> Path:
    result = _read(folder / RESULT)
    if "file" not in result:
        code = str(result.get("code", "work_failed"))
        raise InvalidInputError(f"{result.get('error', 'it gave nothing')}.", code=code)
    found = (folder / str(result["file"])).resolve()
    if not found.is_relative_to(folder.resolve()) or not found.is_file():
        raise InvalidInputError("The work gave no file.", code="work_failed")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
