"""The analysing process: `python -m omma_engine.inference.offline.child --socket-fd N --data-dir D`.

It hears `{"do": "add", "analysis": {...}, "epoch": N}` once, beats, and says news about the task:

    {"kind": "begun"}                       it works; what was found since the checkpoint comes again
    {"kind": "track_close" | "match" | "minute", ...}                 as a model host says them
    {"kind": "checkpoint", "leg", "at_us", "numbers": {analytic: next number}}  all before is told
    {"kind": "progress", "done_us", "total_us", "reached_us", "speed", "pictures"}  each second
    {"kind": "done", "total_us", "pictures", "wall_s", "unreadable", "decode_errors", …}
    {"kind": "failed", "code", "detail"}

It is exec'd without our environment, leaves the network where the system lets it, and ends with whoever
started it: the footage may be somebody's upload.
"""

import argparse
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2

from omma_engine.detect.sandbox import Limits, give_up
from omma_engine.errors import DetectorError, ProtocolError
from omma_engine.inference.line import BeatWatch, Message, SupervisorLine
from omma_engine.inference.offline.analysis import Analysis
from omma_engine.inference.offline.folders import work_folder
from omma_engine.inference.offline.keeping import summary_of
from omma_engine.inference.offline.spec import AnalysisSpec, decode_analysis, read_footage
from omma_engine.logs import log_to_stderr

logger = logging.getLogger(__name__)

_LIMITS = Limits(file_bytes=1 << 30, open_files=1024)
_TURN_S = 0.25
_IDLE_S = 0.2
_PROGRESS_S = 1.0


class AnalysisChild:
    """The loop: hear the supervisor, analyse for a moment, beat. One thread."""

    def __init__(self, line: SupervisorLine, data_dir: Path, *, provider: str) -> None:
        self._line = line
        self._data_dir = data_dir
        self._provider = provider
        self._beats = BeatWatch()
        self._analysis: Analysis | None = None
        self._task_id = ""
        self._epoch = self._sequence = 0
        self._began_s = self._said_s = 0.0
        self._done_before_us = 0
        self._reason = ""

    def request_stop(self, reason: str) -> None:
        """Make `run` end after its present turn."""
        self._reason = self._reason or reason

    def run(self) -> int:
        """Work until the analysis is over or the supervisor says stop; an orphan ends without a word."""
        try:
            while not self._reason:
                self._hear(0.0 if self._analysis else _IDLE_S)
                self._work()
                self._beat()
            self._line.send({"say": "bye", "reason": self._reason})
        except ConnectionError as exc:
            logger.info("analysis ends: %s", exc)
        finally:
            if self._analysis is not None:
                self._analysis.close()
        return 0

    def _work(self) -> None:
        if self._analysis is None:
            return
        until_s = time.monotonic() + _TURN_S
        try:
            while time.monotonic() < until_s:
                if not self._analysis.advance():
                    self._finish(self._analysis)
                    return
        except DetectorError as exc:
            self._fail(exc.code, str(exc))
            return
        if time.monotonic() - self._said_s >= _PROGRESS_S:
            self._say_progress(self._analysis)

    def _begin(self, spec: AnalysisSpec) -> None:
        self._say({"kind": "begun"})
        self._began_s = self._said_s = time.monotonic()
        try:
            footage = [*read_footage(Path(spec.footage))]
            self._analysis = Analysis(
                spec, footage, data_dir=self._data_dir, say=self._say, provider=self._provider
            )
        except DetectorError as exc:
            self._fail(exc.code, str(exc))
        except (OSError, ValueError) as exc:
            self._fail("no_footage", f"the list of footage cannot be read: {exc}")
        else:
            self._done_before_us = self._analysis.done_us

    def _finish(self, analysis: Analysis) -> None:
        analysis.close()
        self._say(
            {
                "kind": "done",
                "total_us": analysis.total_us,
                "pictures": analysis.pictures,
                "wall_s": round(time.monotonic() - self._began_s, 3),
                "unreadable": analysis.unreadable,
                "decode_errors": analysis.decode_errors,
                **summary_of(work_folder(self._data_dir, UUID(self._task_id))),
            }
        )
        self._reason = "ended"

    def _fail(self, code: str, detail: str) -> None:
        self._say({"kind": "failed", "code": code, "detail": detail[:500]})
        self._reason = "ended"

    def _say_progress(self, analysis: Analysis) -> None:
        self._said_s = time.monotonic()
        done_us = analysis.done_us
        elapsed_s = self._said_s - self._began_s
        speed = (done_us - self._done_before_us) / 1e6 / elapsed_s if elapsed_s > 0 else 0.0
        self._say(
            {
                "kind": "progress",
                "done_us": done_us,
                "total_us": analysis.total_us,
                "reached_us": analysis.reached_us,
                "speed": round(speed, 3),
                "pictures": analysis.pictures,
            }
        )

    def _say(self, payload: Message) -> None:
        self._sequence += 1
        self._line.send(
            {
                "say": "news",
                "task_id": self._task_id,
                "epoch": self._epoch,
                "sequence": self._sequence,
                "payload": payload,
            }
        )

    def _beat(self) -> None:
        if self._beats.is_orphan:
            self._hear(0.0)  # a turn that took long heard nobody meanwhile
        if self._beats.is_orphan:
            raise ConnectionError("the supervisor is silent")
        if self._beats.is_due():
            self._line.send({"say": "beat"})

    def _hear(self, wait_s: float) -> None:
        if not select.select([self._line], [], [], wait_s)[0]:
            return
        for message in self._line.receive():
            self._beats.heard()
            self._obey(message)

    def _obey(self, message: dict[str, Any]) -> None:
        match message.get("do"):
            case "add" if self._analysis is None:
                self._task_id = str(message["analysis"]["task_id"])
                self._epoch = int(message["epoch"])
                try:
                    self._begin(decode_analysis(message["analysis"]))
                except ProtocolError as exc:
                    self._fail(exc.code, str(exc))
            case "stop":
                self.request_stop(str(message.get("reason") or "stopped"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one analysis on the socket that was inherited."""
    parser = argparse.ArgumentParser(prog="omma_engine.inference.offline.child", allow_abbrev=False)
    parser.add_argument("--socket-fd", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--provider", default="cpu", help="where ONNX Runtime computes: cpu, cuda, openvino")
    options = parser.parse_args(arguments)
    log_to_stderr()
    give_up(_LIMITS)
    cv2.setNumThreads(1)
    cv2.ocl.setUseOpenCL(False)
    line = SupervisorLine(socket.socket(fileno=options.socket_fd))
    child = AnalysisChild(line, options.data_dir, provider=options.provider)
    signal.signal(signal.SIGTERM, lambda _number, _frame: child.request_stop("terminated"))
    return child.run()


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    os._exit(status)
