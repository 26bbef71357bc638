"""The model host: one process per model version and device, all of OpenCV's built-ins together in one.

Run as `python -m omma_engine.inference.host --socket-fd N --reader package.module:factory …`; it is exec'd,
never forked, because the libraries it loads start threads. `omma_engine.inference.messages` has what is said.
"""

import argparse
import contextlib
import ctypes
import importlib
import logging
import os
import select
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2

from omma_engine.clock import SystemClock
from omma_engine.errors import ProtocolError
from omma_engine.inference.line import BeatWatch, Message, SupervisorLine
from omma_engine.inference.pictures import PictureStore
from omma_engine.inference.spec import decode_analytic
from omma_engine.inference.workbench import Workbench
from omma_engine.logs import log_to_stderr
from omma_engine.rules import decode_rule

logger = logging.getLogger(__name__)

_ROUND_S = 0.1
_PR_SET_PDEATHSIG = 1  # prctl(2)


class ModelHost:
    """The loop: hear the supervisor, analyse what waits, beat."""

    def __init__(self, line: SupervisorLine, make_workbench: Callable[["ModelHost"], Workbench]) -> None:
        self._line = line
        self._beats = BeatWatch()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._reason = ""
        self._workbench = make_workbench(self)

    def wake(self) -> None:
        """End the loop's wait. Any thread."""
        with contextlib.suppress(OSError):  # it rings already, or the host has ended
            self._bell.send(b"!")

    def say_news(self, analytic_id: UUID, epoch: int, sequence: int, payload: dict[str, Any]) -> None:
        """Send one piece of news up the line."""
        self._line.send(
            {
                "say": "news",
                "analytic_id": str(analytic_id),
                "epoch": epoch,
                "sequence": sequence,
                "payload": payload,
            }
        )

    def request_stop(self, reason: str) -> None:
        """Make `run` finish after its present round."""
        self._reason = self._reason or reason
        self.wake()

    def run(self) -> int:
        """Work until told to stop; return the process's exit status.

        An orphan (the line is closed, or silent for 5 s) ends without saying anything.
        """
        try:
            self._loop()
            self._workbench.stop()
            self._line.send({"say": "bye", "reason": self._reason})
        except ConnectionError as exc:
            logger.info("model host ends: %s", exc)
        finally:
            self._bell.close()
            self._ear.close()
        return 0

    def _loop(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._line.fileno(), selectors.EVENT_READ, self._hear)
            selector.register(self._ear, selectors.EVENT_READ, self._still_bell)
            while not self._reason:
                for key, _ in selector.select(_ROUND_S):
                    key.data()
                self._work()
                self._beat()

    def _work(self) -> None:
        self._workbench.analyse_waiting()
        self._workbench.look_around()

    def _beat(self) -> None:
        if self._beats.is_orphan:
            self._hear_what_waits()  # a round that took long heard nobody meanwhile
        if self._beats.is_orphan:
            raise ConnectionError("the supervisor is silent")
        self.show_life()

    def show_life(self) -> None:
        """Beat when it is time; also called between pictures, as a round over many streams may take long."""
        if self._beats.is_due():
            streams = len(self._workbench.feeds)
            self._line.send({"say": "beat", "streams": streams, "analytics": self._workbench.analytics})

    def _still_bell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(4096)

    def _hear_what_waits(self) -> None:
        if select.select([self._line], [], [], 0)[0]:
            self._hear()

    def _hear(self) -> None:
        for message in self._line.receive():
            self._beats.heard()
            try:
                self._obey(message)
            except (ProtocolError, KeyError, TypeError, ValueError) as exc:
                logger.warning("the supervisor said what cannot be done: %r", exc)

    def _obey(self, message: Message) -> None:
        match message.get("do"):
            case "add":
                self._workbench.add(decode_analytic(message["analytic"]), epoch=int(message["epoch"]))
            case "rules":
                rules = [decode_rule(rule) for rule in message["rules"]]
                self._workbench.replace_rules(UUID(message["analytic_id"]), rules)
            case "remove":
                self._workbench.remove(UUID(message["analytic_id"]))
            case "stop":
                self._reason = str(message.get("reason") or "stopped")
            case "beat" | "ack":
                return
            case other:
                raise ProtocolError(f"expected add, rules, remove, beat or stop, got {other!r}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a model host on the socket that was inherited."""
    options = _parser().parse_args(arguments)
    log_to_stderr()
    _die_with_parent()
    cv2.setNumThreads(options.threads)
    cv2.ocl.setUseOpenCL(False)
    host = ModelHost(
        SupervisorLine(socket.socket(fileno=options.socket_fd)),
        lambda self: Workbench(
            open_reader=_factory(options.reader)(options.bus_url),
            results=_factory(options.results)(options.bus_url),
            pictures=PictureStore(options.data_dir),
            clock=SystemClock(),
            say=self.say_news,
            on_picture=self.wake,
            on_analysed=self.show_life,
            provider=options.provider,
        ),
    )
    signal.signal(signal.SIGTERM, lambda _number, _frame: host.request_stop("terminated"))
    return host.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="omma_engine.inference.host", allow_abbrev=False)
    parser.add_argument("--socket-fd", type=int, required=True)
    parser.add_argument("--reader", required=True, metavar="package.module:factory")
    parser.add_argument("--results", required=True, metavar="package.module:factory")
    parser.add_argument("--bus-url", required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--provider", default="cpu", help="where ONNX Runtime computes: cpu, cuda, openvino")
    return parser


def _factory(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    factory: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return factory


def _die_with_parent() -> None:
    """Be killed when the supervisor's thread ends, even while a model runs (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    os._exit(
        status
    )  # a stream's thread may stand in native code, which an orderly end would pull away under it
