"""A web server that takes webhooks, and does whatever a test tells it to."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hit:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float


Behave = Callable[[Any, Hit], None]


def answer(status: int = 204, **headers: str) -> Behave:
    def behave(handler: Any, hit: Hit) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return behave


def hang(seconds: float) -> Behave:
    def behave(handler: Any, hit: Hit) -> None:
        handler.server.ending.wait(seconds)

    return behave


def drip(handler: Any, hit: Hit) -> None:
    """Send the head of an answer byte by byte."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 10_000:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        if handler.server.ending.wait(0.05):
            return


def flood(handler: Any, hit: Hit) -> None:
    """Answer with a body without end."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.ending.is_set():
        handler.wfile.write(b"x" * 65_536)


def nonsense(handler: Any, hit: Hit) -> None:
    handler.wfile.write(b"\x16\x03\x01 this is no answer\r\n\r\n")


@dataclass
class Sink:
    """Where webhooks arrive: `behaviours` are used up one a request, then `usual` counts."""

    hits: list[Hit] = field(default_factory=list)
    behaviours: list[Behave] = field(default_factory=list)
    usual: Behave = field(default_factory=answer)
    by_path: dict[str, Behave] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hit = Hit(self.path, {k.lower(): v for k, v in self.headers.items()}, body, time.monotonic())
                sink.hits.append(hit)
                behave = sink.by_path.get(self.path)
                if behave is None:
                    behave = sink.behaviours.pop(0) if sink.behaviours else sink.usual
                with contextlib.suppress(OSError):  # the sender may have hung up
                    behave(self, hit)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.ending = threading.Event()  # type: ignore[attr-defined]  # for the behaviours
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def release(self) -> None:
        """End all behaviours that wait."""
        self._server.ending.set()  # type: ignore[attr-defined]  # as above

    def close(self) -> None:
        self._server.ending.set()  # type: ignore[attr-defined]  # as above
        self._server.shutdown()
        self._server.server_close()
