"""A zygote records a moment before it forks, and nothing of it stays but what children share."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.capture.driving import ZygoteDriver
from tests.engine.coded import make_volume

_PROGRAM = """
import gc, os, signal, sys
from pathlib import Path
from omma_engine.capture import zygote
from omma_engine.record.header import movie_header

made = []
pathlib_mkdir = Path.mkdir
def mkdir(self, *args, **kwargs):
    made.append(self)
    pathlib_mkdir(self, *args, **kwargs)
Path.mkdir = mkdir

def descriptors():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))

def rehearse():
    publishers = zygote.publisher_factory(sys.argv[1], sys.argv[2])
    return zygote.rehearse(publishers, Path(sys.argv[3]))

rehearse()  # what is imported or opened once is no leak
before = descriptors()
is_single = rehearse()
zygote._settle()
zygote._settle()
print(is_single, len(os.listdir("/proc/self/task")), descriptors() - before, end=" ")
print(movie_header.cache_info().hits, signal.getsignal(signal.SIGTERM).name, end=" ")
print(any(path.exists() for path in made), signal.alarm(0))
"""


@pytest.mark.parametrize(
    ("publisher", "bus"),
    [("none", ""), ("apps.streams.bus.publisher:connect", "redis://127.0.0.1:1")],
)
def test_it_records_and_leaves_nothing_behind(tmp_path: Path, publisher: str, bus: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM, publisher, bus, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    is_single, threads, more_descriptors, headers, handler, is_left, alarm = told.stdout.split()
    assert (is_single, threads, more_descriptors) == ("True", "1", "0"), told.stderr
    assert int(headers) > 0  # the second one found the first one's header: both wrote a file
    assert (handler, is_left, alarm) == ("SIG_DFL", "False", "0")
    assert list(tmp_path.iterdir()) == []
    assert told.stderr == ""


def test_where_a_thread_stays_it_begins_again_without(tmp_path: Path) -> None:
    program = (
        "import sys, omma_engine.capture.zygote as zygote\n"
        "zygote.rehearse = lambda publishers, data_dir: False\n"
        "zygote.main(sys.argv[4:])"
    )
    with ZygoteDriver(make_volume(tmp_path), prefix=[sys.executable, "-c", program]) as zygote:
        assert zygote.fork().pid > 0
        command = Path(f"/proc/{zygote.process.pid}/cmdline").read_bytes()

    assert b"--unrehearsed" in command
