"""A web server for tests: `python -m tests.project.flood PORT` sends more than anybody wants to hold.

With `small` behind the port it takes 100 kB in a second and no more.
"""

import asyncio
import sys
from typing import Any

CHUNK = b"x" * (256 * 1024)
CHUNKS = 800  # 200 MB


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Flood every request and every socket, as fast as sending lets it."""
    if scope["type"] == "http":
        size = str(len(CHUNK) * CHUNKS).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", size)]})
        for _ in range(2 if scope["path"] == "/cut" else CHUNKS):
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await receive()
        await send({"type": "websocket.accept"})
        for _ in range(CHUNKS):
            await send({"type": "websocket.send", "bytes": CHUNK})
        await send({"type": "websocket.close"})


def main() -> None:
    from omma import request_bodies
    from omma.web import PatientServer

    if sys.argv[2:] == ["small"]:
        request_bodies.MAX_BODY_BYTES, request_bodies.BODY_S = 100_000, 1.0

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await asyncio.wait_for(application(scope, receive, send), 60)

    PatientServer(guarded, endpoints=[f"tcp:{sys.argv[1]}:interface=127.0.0.1"], server_name="").run()


if __name__ == "__main__":
    main()
