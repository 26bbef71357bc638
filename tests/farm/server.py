"""The farm's servers: one listening port for each camera, so that one can be away while the others stay."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Sequence

from tests.farm.auth import Gate
from tests.farm.camera import VirtualCamera
from tests.farm.rtsp import RtspConnection
from tests.farm.spec import CameraSpec
from tests.farm.web import CameraWeb
from tests.farm.wire import read_request

logger = logging.getLogger(__name__)


class CameraServer:
    """Listens for one camera; RTSP and HTTP share the port and are told apart by their request line."""

    def __init__(self, camera: VirtualCamera, host: str, port: int) -> None:
        self.camera = camera
        self.port = port
        self._host = host
        spec = camera.spec
        self._gate = Gate(spec.auth, spec.username, spec.password)
        self._web = CameraWeb(camera, self._gate)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._returning: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def drop_connections(self) -> int:
        """Break every connection with a reset and return how many there were."""
        count = len(self._connections)
        for writer in self._connections:
            writer.transport.abort()
        return count

    def go_away(self, seconds: float) -> None:
        """Break every connection and refuse new ones for `seconds`, as a camera does that restarts."""
        self._stop_listening()
        self.drop_connections()
        self.camera.reboot()
        self._returning = asyncio.create_task(self._return_after(seconds))

    def close(self) -> None:
        if self._returning is not None:
            self._returning.cancel()
        self._stop_listening()
        self.drop_connections()

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _return_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.listen()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        rtsp = RtspConnection(self.camera, self._gate, writer)
        gone = (ConnectionError, asyncio.IncompleteReadError, ValueError, asyncio.CancelledError)
        try:
            with contextlib.suppress(*gone):
                await self._converse(reader, writer, rtsp)
        finally:
            rtsp.close()
            self._connections.discard(writer)
            writer.close()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rtsp: RtspConnection
    ) -> None:
        while (request := await read_request(reader)) is not None:
            if request.protocol.startswith("HTTP/"):
                await _while_connected(reader, self._web.answer(request, writer))
                await writer.drain()
                return
            if not await rtsp.answer(request):
                return


async def _while_connected(reader: asyncio.StreamReader, answer: Coroutine[None, None, None]) -> None:
    """Answer until the answer is complete or the client has gone away, whichever comes first."""
    work = {asyncio.ensure_future(answer), asyncio.ensure_future(reader.read(1))}
    try:
        done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


class FarmServer:
    """All cameras of a farm in one event loop."""

    def __init__(self, specs: Sequence[CameraSpec], *, host: str = "127.0.0.1", first_port: int = 0) -> None:
        self.servers = [
            CameraServer(
                VirtualCamera(number, spec, phase=number / len(specs) / spec.fps),
                host,
                first_port + number if first_port else 0,
            )
            for number, spec in enumerate(specs)
        ]
        self._makers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Listen on all ports and begin to make pictures; returns when every camera has made one."""
        for server in self.servers:
            await server.listen()
        self._makers = [asyncio.create_task(server.camera.run()) for server in self.servers]
        started = asyncio.create_task(self._wait_for_pictures())
        done, _ = await asyncio.wait([started, *self._makers], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _wait_for_pictures(self) -> None:
        for server in self.servers:
            await server.camera.ready.wait()

    async def stop(self) -> None:
        for task in self._makers:
            task.cancel()
        await asyncio.gather(*self._makers, return_exceptions=True)
        for server in self.servers:
            server.close()
        await asyncio.sleep(0)
