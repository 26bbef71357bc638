"""Run a farm: `python -m tests.farm --cameras 16 --fps 30 --size 1920x1080`."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Sequence

from tests.farm.commands import listen_for_commands
from tests.farm.server import FarmServer
from tests.farm.spec import CameraSpec


def main() -> None:
    options = _options()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.farm", description="Virtual cameras over RTSP.")
    parser.add_argument("--cameras", type=int, default=1, help="how many")
    parser.add_argument("--size", default="640x360", help="WIDTHxHEIGHT")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--bitrate", type=int, default=600_000, help="bits per second")
    parser.add_argument("--gop", type=float, default=1.0, help="seconds between keyframes")
    parser.add_argument("--mode", choices=["live", "loop"], default="live")
    parser.add_argument("--codec", choices=["h264", "hevc"], default="h264")
    parser.add_argument("--scene", choices=["pattern", "yard", "room"], default="pattern")
    parser.add_argument("--audio", action="store_true")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="first camera's port; 0 takes free ones")
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--specs", help="'-' reads the cameras as one line of JSON, in place of the above")
    parser.add_argument("--announce-json", action="store_true", help="print the ports as JSON")
    return parser.parse_args()


def _specs_of(options: argparse.Namespace) -> Sequence[CameraSpec]:
    if options.specs == "-":
        return [CameraSpec(**fields) for fields in json.loads(sys.stdin.readline())]
    width, height = (int(side) for side in options.size.split("x"))
    spec = CameraSpec(
        mode=options.mode, codec=options.codec, width=width, height=height, fps=options.fps,
        gop_s=options.gop, bitrate=options.bitrate, scene=options.scene, has_audio=options.audio,
    )  # fmt: skip
    return [spec] * options.cameras


async def _run(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    farm = FarmServer(_specs_of(options), host=options.host, first_port=options.port)
    await farm.start()
    control = await listen_for_commands(farm, host=options.host, port=options.control_port)
    _announce(options, farm, control.sockets[0].getsockname()[1])
    await stopped.wait()
    control.close()
    await farm.stop()


def _announce(options: argparse.Namespace, farm: FarmServer, control_port: int) -> None:
    ports = [server.port for server in farm.servers]
    control = f"http://{options.host}:{control_port}/"
    if options.announce_json:
        print(json.dumps({"ports": ports, "control": control}), flush=True)
        return
    for number, port in enumerate(ports):
        print(f"camera {number}: rtsp://{options.host}:{port}/stream")
    print(f"control: {control}", flush=True)


if __name__ == "__main__":
    main()
