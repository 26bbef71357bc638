"""The web server: Daphne whose sends wait until the client has taken what was sent before.

Stock Daphne writes every chunk into memory at once, however slowly the client reads. Twisted tells a *push
producer* when a connection's buffer is full and when it has drained; here that producer is a gate, and
whoever sends a chunk of a body or a message of a socket waits at it.
"""

import argparse
import asyncio
import logging
import os
import socket
from functools import partial
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from omma.request_bodies import BoundedFactory

POOL_SIZE = "8"  # connections to Postgres; views that stream have closed theirs before they send


@implementer(IPushProducer)
class Gate:
    """Open while the connection's buffer has room."""

    def __init__(self) -> None:
        self._is_open = asyncio.Event()
        self._is_open.set()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._is_open.clear()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._is_open.set()

    stopProducing = resumeProducing  # noqa: N815 - the connection is lost: let the sender find out

    async def wait(self) -> None:
        """Return once there is room, or nobody to send to."""
        await self._is_open.wait()


class PatientServer(Server):  # type: ignore[misc]  # daphne has no types
    """Daphne with back-pressure, for HTTP bodies and for sockets."""

    endpoints: list[str]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._gates: dict[Any, Gate] = {}

    @property
    def http_factory(self) -> BoundedFactory:
        """What makes connections: ours, whichever Daphne makes for itself."""
        return self._factory

    @http_factory.setter
    def http_factory(self, _theirs: Any) -> None:
        self._factory = BoundedFactory(self)

    def listen_on(self, descriptor: int) -> None:
        """Take over a listening socket instead of opening one."""
        self.endpoints = []
        self.ready_callable = partial(self._adopt, descriptor)

    def _adopt(self, descriptor: int) -> None:
        with socket.socket(fileno=os.dup(descriptor)) as listening:
            listening.setblocking(False)
            reactor.adoptStreamPort(listening.fileno(), listening.family, self.http_factory)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind in {"http.response.body", "websocket.close"} and not message.get("more_body", False):
            self._close_gate(protocol)
        is_last = kind == "http.response.body" and not message.get("more_body", False)
        if is_last and self._is_connected(protocol) and _is_cut_short(protocol, message):
            protocol.channel.loseConnection()  # else the client waits for the rest of the body
            return
        await super().handle_reply(protocol, message)
        if kind in {"http.response.start", "websocket.accept"} and self._is_connected(protocol):
            self._open_gate(protocol)
        gate = self._gates.get(protocol)
        if gate is not None:
            await gate.wait()

    def protocol_disconnected(self, protocol: Any) -> None:
        super().protocol_disconnected(protocol)
        gate = self._gates.pop(protocol, None)
        if gate is not None:
            gate.stopProducing()

    def _is_connected(self, protocol: Any) -> bool:
        return protocol in self.connections and "disconnected" not in self.connections[protocol]

    def _open_gate(self, protocol: Any) -> None:
        gate = self._gates[protocol] = Gate()
        if isinstance(protocol, WebSocketProtocol):
            protocol.transport.unregisterProducer()  # the HTTP channel's, left over from the upgrade
            protocol.transport.registerProducer(gate, True)
        else:
            protocol.registerProducer(gate, True)

    def _close_gate(self, protocol: Any) -> None:
        """Take the gate away: neither Twisted's requests nor its transports end with a producer on them."""
        if self._gates.pop(protocol, None) is None:
            return
        if isinstance(protocol, WebSocketProtocol):
            protocol.transport.unregisterProducer()
        else:
            protocol.unregisterProducer()


def _is_cut_short(protocol: Any, message: dict[str, Any]) -> bool:
    """Tell whether a body ends before the length it was announced with: a right was withdrawn meanwhile."""
    announced = protocol.responseHeaders.getRawHeaders(b"content-length")
    if not announced or protocol.method == b"HEAD" or protocol.code in {204, 304}:
        return False
    return bool(protocol.sentLength + len(message.get("body", b"")) < int(announced[0]))


def main() -> None:
    """Serve on an inherited listening socket, or on a host and port."""
    parser = argparse.ArgumentParser(prog="python -m omma.web", description=__doc__.splitlines()[0])
    parser.add_argument("--fd", type=int, help="a listening socket that was opened by the parent")
    parser.add_argument("--host", default=os.environ.get("OMMA_HOST") or "127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("OMMA_PORT") or 8000))
    options = parser.parse_args()
    os.environ.setdefault("OMMA_DATABASE_POOL", POOL_SIZE)  # before the settings are read
    from omma.asgi import application

    endpoints = build_endpoint_description_strings(host=options.host, port=options.port)
    server = PatientServer(application, endpoints=endpoints, server_name="")
    if options.fd is not None:
        server.listen_on(options.fd)
    server.run()
    logging.shutdown()
    os._exit(0)  # no waiting for threads that still answer somebody, nor for the interpreter to tidy up


if __name__ == "__main__":
    main()
