"""F2, F3: links that go down without a word, and hosts that answer nothing, in namespaces of our own."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.capture.driving import ZygoteDriver, kill
from tests.engine.coded import make_volume
from tests.engine.faults.watching import Watch
from tests.farm import CameraSpec, Farm
from tests.faults.namespaces import Namespace, end, join, namespaces, start_relay
from tests.faults.plugin import FaultReport

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SMALL = CameraSpec(width=320, height=240, fps=15)
CAMERA_SIDE, RECORDER_SIDE = "10.77.0.2", "10.77.0.1"
NOWHERE = "10.99.0."
FIRST_PORT = 5540
DOWN_S = 60.0
FLAGGED_S, RECYCLED_S, BACK_S = 5.0, 10.0, 5.0
GOP_S, SLACK_S = 1.0, 1.0


@dataclass(frozen=True, slots=True)
class Site:
    """Cameras at one end of a cable, a zygote at the other."""

    farm: Farm
    zygote: ZygoteDriver
    cameras: Namespace
    recorder: Namespace

    def url(self, number: int) -> str:
        return f"rtsp://{CAMERA_SIDE}:{FIRST_PORT + number}/stream"

    def watch(self, number: int, root: Path) -> Watch:
        return Watch(self.zygote, self.farm.camera(number), root, url=self.url(number), host=CAMERA_SIDE)


@contextmanager
def site(folder: Path, cameras: int) -> Iterator[Site]:
    """Join a farm to a namespace of its own by relays, and that to the recorder's by a cable."""
    with ExitStack() as stack:
        far, near = stack.enter_context(namespaces(2))
        join(near, far, name="cable", address=f"{RECORDER_SIDE}/24", other_address=f"{CAMERA_SIDE}/24")
        farm = stack.enter_context(Farm([SMALL] * cameras))
        for camera in farm.cameras:
            path = folder / f"{camera.number}.sock"
            relay = start_relay((), f"unix:{path}", f"tcp:127.0.0.1:{camera.port}")
            stack.callback(end, relay)
            far.relay(f"tcp:{CAMERA_SIDE}:{FIRST_PORT + camera.number}", f"unix:{path}")
        root = make_volume(folder / "zygote")
        zygote = stack.enter_context(ZygoteDriver(root, prefix=near.inside()))
        yield Site(farm, zygote, far, near)


@pytest.mark.fault("F2")
def test_a_link_that_is_down_for_a_minute(tmp_path: Path, fault_report: FaultReport) -> None:
    with site(tmp_path, 1) as here:
        watch = here.watch(0, tmp_path / "volume")
        watch.child.listen_for(2)

        here.cameras.run("ip", "link", "set", "cable", "down")
        down_s = time.monotonic()
        watch.child.wait(lambda: "reconnecting" in watch.child.states(), RECYCLED_S)
        flagged_s = time.monotonic() - down_s
        watch.child.listen_for(DOWN_S - flagged_s)
        here.cameras.run("ip", "link", "set", "cable", "up")
        up_s = time.monotonic()
        watch.wait_for_segments(2, 60)
        back_s = time.monotonic() - up_s
        watch.stop()

    fault_report.hole(back_s)
    fault_report.note(
        f"a link down for {DOWN_S:g} s is flagged after {flagged_s:.1f} s, back {back_s:.1f} s after it"
    )
    assert flagged_s <= FLAGGED_S
    assert back_s <= BACK_S + GOP_S + SLACK_S
    assert [cause for *_, cause in watch.holes()] == ["network"]
    watch.assert_explained()


@pytest.mark.fault("F3")
def test_black_holes_cost_other_cameras_nothing(tmp_path: Path, fault_report: FaultReport) -> None:
    with site(tmp_path, 3) as here:
        here.recorder.run("ip", "route", "add", f"{NOWHERE}0/24", "via", CAMERA_SIDE)
        healthy = [here.watch(number, tmp_path / f"healthy{number}") for number in range(3)]
        lost = [
            Watch(
                here.zygote, here.farm.camera(0), tmp_path / f"lost{number}", url=f"rtsp://{NOWHERE}{number}/x",
                host=f"{NOWHERE}{number}", waits=False,
            )
            for number in range(1, 11)
        ]  # fmt: skip
        children = [watch.child for watch in (*healthy, *lost)]
        children[0].listen_for(15, others=children[1:])
        before = [threads_of(watch) for watch in lost]
        children[0].listen_for(30, others=children[1:])
        after = [threads_of(watch) for watch in lost]
        for watch in lost:
            kill(watch.child.pid)
            here.zygote.hear()
        for watch in healthy:
            watch.stop()

    fault_report.note(
        f"10 black holes beside 3 cameras; threads of a child {max(before)} and then {max(after)}"
    )
    assert max(after) <= max(before)
    for watch in lost:
        assert set(watch.codes()) <= {"unreachable"}
    for watch in healthy:
        (stored,) = watch.stored()
        assert stored == list(range(stored[0], stored[-1] + 1))
        assert watch.child.news("gap") == []


def threads_of(watch: Watch) -> int:
    return len(list(Path(f"/proc/{watch.child.pid}/task").iterdir()))
