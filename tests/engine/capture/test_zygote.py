"""The zygote stays small and single-threaded, whatever it is named to publish with."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.capture.driving import ZygoteDriver
from tests.engine.coded import make_volume

BUS = "apps.streams.bus.publisher:connect"


def threads_of(zygote: ZygoteDriver) -> int:
    return len(list(Path(f"/proc/{zygote.process.pid}/task").iterdir()))


@pytest.mark.parametrize("publisher", ["none", BUS])
def test_a_zygote_has_one_thread(tmp_path: Path, publisher: str) -> None:
    with ZygoteDriver(make_volume(tmp_path), publisher) as zygote:
        child = zygote.fork()

        assert threads_of(zygote) == 1
        child.line.close()
        assert zygote.hear()["say"] == "exit"
        assert threads_of(zygote) == 1


def test_a_zygote_imports_only_what_recording_needs(tmp_path: Path) -> None:
    program = (
        "import sys, omma_engine.capture.zygote as zygote\n"
        f"zygote.publisher_factory({BUS!r}, 'redis://127.0.0.1:1')\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "av" in loaded
    heavy = {"numpy", "cv2", "django", "httpx", "onnxruntime", "psycopg", "celery", "redis", "asyncio", "ssl"}
    assert heavy.isdisjoint(loaded)


def test_a_request_that_is_none_is_survived(tmp_path: Path) -> None:
    with ZygoteDriver(make_volume(tmp_path)) as zygote:
        zygote.control.send(b'{"do": "dance"}')
        assert zygote.fork().pid > 0


def test_the_zygote_leaves_when_its_line_closes(tmp_path: Path) -> None:
    with ZygoteDriver(make_volume(tmp_path)) as zygote:
        zygote.fork()
        zygote.control.close()
        assert zygote.process.wait(5) == 0
