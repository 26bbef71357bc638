"""A process that lays out its memory goes on as before, and weighs less."""

import subprocess
import sys

import pytest

_PROGRAM = """
import ctypes, gc, hashlib, json, re, ssl, sys
from pathlib import Path
from omma_engine.memory import fill_holes, let_go_of_files, use_one_arena

if sys.argv[1] == "one arena":
    use_one_arena()

def pages_of_files():
    text = Path("/proc/self/smaps_rollup").read_text()
    rss, anonymous = (int(re.search(name + r": +(\\d+)", text)[1]) for name in ("Rss", "Anonymous"))
    return rss - anonymous

kept = [bytes(size) for size in range(600, 5000)]
del kept[::2]
gc.collect()
before = pages_of_files()
let_go_of_files()
print(before, pages_of_files())
fill_holes()
kept += [bytes(size) for size in range(600, 5000)]
hashlib.sha256(json.dumps(list(range(1000))).encode()).hexdigest()
ssl.create_default_context()
Path("/proc/self/maps").read_text()
print(sum(map(len, kept)), ctypes.CDLL(None).getpid())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
@pytest.mark.parametrize("arenas", ["one arena", "as they are"])
def test_what_was_let_go_of_comes_back(arenas: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM, arenas], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()

    before, after, kept = (int(each) for each in told[:3])
    assert after < before / 2
    assert kept == sum(range(601, 5000, 2)) + sum(range(600, 5000))
