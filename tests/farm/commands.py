"""What a farm can be told while it runs: JSON in, JSON out, the same in-process and over its control port."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import astuple
from typing import Any

from tests.farm.rtp import VIDEO_CLOCK_HZ
from tests.farm.server import CameraServer, FarmServer
from tests.farm.wire import read_request, write_response

Command = Mapping[str, Any]
_Action = Callable[[CameraServer, Command], Awaitable[Any]]


async def obey(farm: FarmServer, command: Command) -> Any:
    """Carry out one command and return its result; raises `KeyError` or `IndexError` on an unknown one."""
    return await _ACTIONS[command["do"]](farm.servers[command["camera"]], command)


async def listen_for_commands(farm: FarmServer, *, host: str, port: int) -> asyncio.Server:
    """Take commands as `POST /` with a JSON body."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await read_request(reader)
            if request is not None:
                status, body = await _answer(farm, request.body)
                write_response(writer, status, {"Content-Type": "application/json"}, body)
                await writer.drain()
        finally:
            writer.close()

    return await asyncio.start_server(serve, host, port)


async def _answer(farm: FarmServer, body: bytes) -> tuple[str, bytes]:
    try:
        result = await obey(farm, json.loads(body))
    except (LookupError, ValueError, TypeError) as error:
        return "HTTP/1.1 400 Bad Request", json.dumps({"error": repr(error)}).encode()
    return "HTTP/1.1 200 OK", json.dumps({"result": result}).encode()


async def _drop(server: CameraServer, command: Command) -> int:
    return server.drop_connections()


async def _restart(server: CameraServer, command: Command) -> None:
    server.go_away(command["seconds"])


async def _set(server: CameraServer, command: Command) -> None:
    """Set faults by their names, for `seconds` where that is given."""
    faults, changes = server.camera.faults, command["faults"]
    before = {name: getattr(faults, name) for name in changes}
    for name, value in changes.items():
        setattr(faults, name, value)
    if command.get("seconds") is not None:
        loop = asyncio.get_running_loop()
        loop.call_later(command["seconds"], _restore, faults, before)


def _restore(faults: object, before: Mapping[str, Any]) -> None:
    for name, value in before.items():
        setattr(faults, name, value)


async def _seed(server: CameraServer, command: Command) -> None:
    server.camera.faults.chance.seed(command["seed"])


async def _jump(server: CameraServer, command: Command) -> None:
    server.camera.faults.rtp_jump += round(command["seconds"] * VIDEO_CLOCK_HZ)


async def _video(server: CameraServer, command: Command) -> None:
    spec = server.camera.spec
    codec = command.get("codec") or spec.codec
    await server.camera.change_video(width=command["width"], height=command["height"], codec=codec)
    if codec != spec.codec:
        server.drop_connections()  # RTSP cannot renegotiate: clients have to read the description again


async def _ledger(server: CameraServer, command: Command) -> list[tuple[Any, ...]]:
    return [astuple(emitted) for emitted in server.camera.ledger]


async def _requests(server: CameraServer, command: Command) -> dict[str, int]:
    return dict(server.camera.requests)


async def _sessions(server: CameraServer, command: Command) -> int:
    return len(server.camera.subscribers)


_ACTIONS: dict[str, _Action] = {
    "drop": _drop,
    "restart": _restart,
    "set": _set,
    "seed": _seed,
    "jump": _jump,
    "video": _video,
    "ledger": _ledger,
    "requests": _requests,
    "sessions": _sessions,
}
