"""Power cuts: the volume lies in an image of its own, which is copied while it is mounted and written to.

What a copy holds is what a disk would hold after the power failed: what was not synced is missing or torn.
The writers stand still for as long as a copy takes, because copying is not instant. Everything happens in a
mount namespace of its own, which vanishes with its last process. Needs root.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from omma_engine.errors import StorageError
from omma_engine.record.recover import recover_segment
from tests.bench.house import House, Process, wait_for
from tests.bench.ledgers import RecordedStream, streams_of
from tests.bench.process_cost import family_of
from tests.bench.report import Row
from tests.farm import CameraSpec, Farm
from tests.farm.ledger import entries_in

CAMERA = CameraSpec(mode="loop", width=640, height=360, fps=15, gop_s=1.0, bitrate=500_000)
CAMERAS = 3
IMAGE_BYTES = 512 * 1024 * 1024
NOT_POSSIBLE = 3  # the status of the inner program where images cannot be mounted
_LIMIT_S = 40.0


@dataclass(frozen=True, slots=True)
class Cut:
    """One power cut: seconds of video lost of each stream, and rows whose bytes the copy does not hold."""

    lost_s: list[float]
    untrue_rows: list[str]
    recovered_files: int


def measure(runs: float = 20) -> list[Row]:
    """Cut the power `runs` times."""
    cuts = cut_in_own_namespace(int(runs))
    if isinstance(cuts, str):
        return [Row("power cut: video lost", None, "s", note=f"not run: {cuts}")]
    lost = sorted(seconds for cut in cuts for seconds in cut.lost_s)
    untrue = [path for cut in cuts for path in cut.untrue_rows]
    copies = f"of {len(lost)} streams in {len(cuts)} copies"
    p95 = lost[max(0, -(-len(lost) * 95 // 100) - 1)]
    return [
        Row("power cut: video lost, worst", lost[-1], "s", 3.0, copies),
        Row("power cut: video lost, p95", p95, "s", 3.0, copies),
        Row("power cut: rows without their bytes", float(len(untrue)), "", 0.0, copies),
    ]


def cut_in_own_namespace(runs: int) -> list[Cut] | str:
    """Return what the cuts came to, or why there were none."""
    if os.geteuid() != 0:
        return "mounting needs root"
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "cuts.json"
        inner = [sys.executable, "-m", "tests.bench.power_cuts", str(runs), str(answer)]
        status = subprocess.run(["unshare", "-m", "--propagation", "private", *inner], check=False).returncode
        if status == NOT_POSSIBLE:
            return "an image cannot be made or mounted here"
        if status != 0:
            raise RuntimeError(f"the power cuts ended with status {status}")
        return [Cut(**each) for each in json.loads(answer.read_text())]


class HouseOnAnImage(House):
    """A house whose volumes lie on a file system of their own, in an image."""

    @property
    def image(self) -> Path:
        return self.folder / "disk.img"

    def _prepare(self) -> None:
        with self.image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        try:
            subprocess.run(["mkfs.ext4", "-q", str(self.image)], check=True)
            _mount(self.image, self.data_dir / "volumes")
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"  no image: {error}", flush=True)
            sys.exit(NOT_POSSIBLE)
        super()._prepare()


def cut_again_and_again(runs: int) -> list[Cut]:
    with (
        Farm([CAMERA] * CAMERAS, in_process=True) as farm,
        HouseOnAnImage([camera.url() for camera in farm.cameras]) as house,
    ):
        chance = random.Random(runs)
        streams = streams_of(house, farm.cameras)
        worker = house.start_capture()
        cuts = []
        for number in range(runs):
            since = datetime.now(UTC)
            wait_for("footage", partial(_is_recorded, house, since), timeout_s=_LIMIT_S)
            time.sleep(chance.uniform(1, 4))
            cuts.append(_cut(house, streams, worker))
            worst_s = max(cuts[-1].lost_s)
            print(
                f"  cut {number}: lost {worst_s:.2f} s, {len(cuts[-1].untrue_rows)} untrue rows", flush=True
            )
        subprocess.run(["umount", "-l", str(house.data_dir / "volumes")], check=True)
        return cuts


def _is_recorded(house: House, since: datetime) -> bool:
    query = 'SELECT count(DISTINCT stream_id) FROM streams_segment WHERE durable_bytes > 0 AND "end" > %s'
    return bool(house.rows(query, (since,))[0][0] == CAMERAS)


def _cut(house: HouseOnAnImage, streams: Sequence[RecordedStream], worker: Process) -> Cut:
    """Stop the writers, copy the image and the rows, let the writers go on, and look into the copy."""
    copy = house.folder / "copy.img"
    writers = [*family_of([worker.pid])]
    for pid in writers:
        os.kill(pid, signal.SIGSTOP)
    cut_us = time.time_ns() // 1000
    promised = house.rows("SELECT path, durable_bytes FROM streams_segment WHERE state <> 'garbage'")
    subprocess.run(["cp", "--sparse=always", str(house.image), str(copy)], check=True)
    for pid in writers:
        os.kill(pid, signal.SIGCONT)
    with _mounted(copy, house.folder / "copy") as root:
        volume = root / "default"
        untrue = [path for path, size in promised if not _holds(volume / path, size)]
        found = [_last_pictures(volume, stream) for stream in streams]
    copy.unlink()
    return Cut([(cut_us - last) / 1e6 for last, _ in found], untrue, sum(count for _, count in found))


def _holds(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size >= size


def _last_pictures(volume: Path, stream: RecordedStream) -> tuple[int, int]:
    """Recover a stream's newest files; return when the last picture in them was made, and their number."""
    files = sorted((volume / "segments" / str(stream.stream_id)).rglob("*.mp4"))
    last_us, count = 0, 0
    for path in files[-2:]:
        try:
            whole = recover_segment(path).durable_bytes
        except StorageError:
            continue  # nothing of it was durable
        count += 1
        last_us = max([last_us, *(entry.utc_us for entry in entries_in(path.read_bytes()[:whole]))])
    return last_us, count


@contextmanager
def _mounted(image: Path, folder: Path) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    _mount(image, folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _mount(image: Path, folder: Path) -> None:
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)


if __name__ == "__main__":
    found = cut_again_and_again(int(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps([asdict(cut) for cut in found]))
