"""A farm for tests and benches: cameras behind addresses, with a handle to hurt each of them."""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

from tests.farm.commands import obey
from tests.farm.ledger import Emitted
from tests.farm.nal import VideoCodec
from tests.farm.server import FarmServer
from tests.farm.spec import CameraSpec

Tell = Callable[[dict[str, Any]], Any]
_START_TIMEOUT_S = 90.0
_COMMAND_TIMEOUT_S = 30.0
_ROOT = Path(__file__).parents[2]


class CameraHandle:
    """What a test can do to one camera, and ask it."""

    def __init__(self, number: int, spec: CameraSpec, port: int, tell: Tell) -> None:
        self.number = number
        self.spec = spec
        self.port = port
        self._tell_farm = tell

    def url(self, kind: Literal["rtsp", "mjpeg", "hls", "still"] = "rtsp", *, with_login: bool = True) -> str:
        """Return the camera's address, with its name and password where it has them."""
        login = ""
        if self.spec.auth != "none" and with_login:
            login = f"{quote(self.spec.username, safe='')}:{quote(self.spec.password, safe='')}@"
        paths = {"rtsp": "stream", "mjpeg": "video.mjpeg", "hls": "hls/index.m3u8", "still": "snapshot.jpg"}
        scheme = "rtsp" if kind == "rtsp" else "http"
        return f"{scheme}://{login}127.0.0.1:{self.port}/{paths[kind]}"

    def drop(self) -> int:
        """Break all connections and return how many there were."""
        count: int = self._tell("drop")
        return count

    def restart(self, seconds: float) -> None:
        """Break all connections and refuse new ones for `seconds`; the RTP clock starts elsewhere."""
        self._tell("restart", seconds=seconds)

    def stall(self, seconds: float | None = None) -> None:
        """Keep connections and send no media, until `resume` or for `seconds`."""
        self._set(seconds, is_stalled=True)

    def mute(self, seconds: float | None = None) -> None:
        """Accept connections and answer nothing."""
        self._set(seconds, is_mute=True)

    def flip_bits(self, share: float = 0.01, seconds: float | None = None, *, seed: int = 7) -> None:
        self._tell("seed", seed=seed)
        self._set(seconds, flip_share=share)

    def send_noise(self, count: int = 2000) -> None:
        """Throw random bytes between the packets, once."""
        self._set(None, noise_bytes=count)

    def lose_packets(self, share: float = 0.05, seconds: float | None = None) -> None:
        self._set(seconds, lost_share=share)

    def withhold_keyframes(self, seconds: float | None = None) -> None:
        self._set(seconds, keyframes_withheld=True)

    def answer(self, status: int | None, seconds: float | None = None, *, method: str = "") -> None:
        """Answer every request, or those of one method, with this status; None is back to normal."""
        self._set(seconds, answer=status, answered_method=method, location="")

    def redirect(self, url: str, *, method: str = "DESCRIBE") -> None:
        """Send clients elsewhere."""
        self._set(None, answer=302, answered_method=method, location=url)

    def jump_timestamps(self, seconds: float) -> None:
        """Move the RTP clock, by hours or backwards, from the next picture on."""
        self._tell("jump", seconds=seconds)

    def set_timestamp_rate(self, rate: float) -> None:
        """Let the RTP clock run at `rate` times the true speed; it also jumps, as the past is scaled too."""
        self._set(None, rtp_rate=rate)

    def change_video(self, width: int, height: int, codec: VideoCodec | None = None) -> None:
        """Change the picture's size in mid-stream; a change of codec also breaks the connections."""
        self._tell("video", width=width, height=height, codec=codec)

    def resume(self) -> None:
        """End every fault that lasts; clocks stay where they are."""
        self._set(
            None, is_stalled=False, is_mute=False, flip_share=0.0, lost_share=0.0, keyframes_withheld=False,
            answer=None,
        )  # fmt: skip

    def ledger(self) -> list[Emitted]:
        """Return every picture made so far, and to how many sessions each was handed."""
        return [Emitted(*row) for row in self._tell("ledger")]

    def requests(self) -> dict[str, int]:
        """Return how often each request was answered how, as {"DESCRIBE 401": 2}."""
        counts: dict[str, int] = self._tell("requests")
        return counts

    def sessions(self) -> int:
        """Return how many clients take pictures now."""
        count: int = self._tell("sessions")
        return count

    def _set(self, seconds: float | None, **faults: object) -> None:
        self._tell("set", faults=faults, seconds=seconds)

    def _tell(self, action: str, **details: object) -> Any:
        return self._tell_farm({"do": action, "camera": self.number, **details})


class Farm:
    """A running farm: `with Farm([CameraSpec()]) as farm: open(farm.url(0))`.

    It runs in a thread, or with `in_process=True` in a process of its own, which benches want.
    """

    def __init__(self, cameras: Sequence[CameraSpec], *, in_process: bool = False) -> None:
        self._specs = list(cameras)
        self._host: _ThreadHost | _ProcessHost = _ProcessHost() if in_process else _ThreadHost()
        self.cameras: list[CameraHandle] = []

    def __enter__(self) -> Self:
        ports = self._host.start(self._specs)
        self.cameras = [
            CameraHandle(number, spec, port, self._host.tell)
            for number, (spec, port) in enumerate(zip(self._specs, ports, strict=True))
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._host.stop()

    @property
    def pid(self) -> int | None:
        """The farm's process, where it has one of its own."""
        return self._host.pid

    def camera(self, number: int) -> CameraHandle:
        return self.cameras[number]

    def url(self, number: int, kind: Literal["rtsp", "mjpeg", "hls", "still"] = "rtsp") -> str:
        return self.cameras[number].url(kind)


class _ThreadHost:
    pid: int | None = None

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="farm", daemon=True)
        self._server: FarmServer | None = None

    def start(self, specs: Sequence[CameraSpec]) -> list[int]:
        self._thread.start()
        self._server = FarmServer(specs)
        self._wait(self._server.start(), _START_TIMEOUT_S)
        return [server.port for server in self._server.servers]

    def tell(self, command: dict[str, Any]) -> Any:
        assert self._server is not None
        return self._wait(obey(self._server, command), _COMMAND_TIMEOUT_S)

    def stop(self) -> None:
        if self._server is not None:
            self._wait(self._server.stop(), _COMMAND_TIMEOUT_S)
        self._wait(_settled(), _COMMAND_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_COMMAND_TIMEOUT_S)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _wait(self, work: Any, timeout_s: float) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)


async def _settled() -> None:
    """Let connections that were aborted end, and threads too."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0.01)  # what has just been accepted must have begun, or nobody closes it
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await loop.shutdown_default_executor()


class _ProcessHost:
    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._control = ""

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self, specs: Sequence[CameraSpec]) -> list[int]:
        command = [sys.executable, "-m", "tests.farm", "--specs", "-", "--announce-json"]
        self._process = subprocess.Popen(
            command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([spec.as_json() for spec in specs]) + "\n")
        self._process.stdin.flush()
        guard = threading.Timer(_START_TIMEOUT_S, self._process.kill)
        guard.start()
        line = self._process.stdout.readline()
        guard.cancel()
        if not line:
            message = f"the farm ended with status {self._process.wait()} before it was ready"
            raise RuntimeError(message)
        announced = json.loads(line)
        self._control = announced["control"]
        return list(announced["ports"])

    def tell(self, command: dict[str, Any]) -> Any:
        request = urllib.request.Request(self._control, json.dumps(command).encode())  # noqa: S310
        with urllib.request.urlopen(request, timeout=_COMMAND_TIMEOUT_S) as response:  # noqa: S310
            return json.load(response)["result"]

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
