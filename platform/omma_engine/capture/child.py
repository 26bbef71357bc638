"""A capture child: one source from its packets to segment files.

`python -m omma_engine.capture.child --socket-fd N --publisher module:function --bus-url URL --data-dir DIR`
runs one in a process of its own; the zygote forks all others into `run_child`.

Two threads: the reading thread blocks on the source, and the *packet loop* here stamps, publishes, writes,
syncs, listens to the supervisor and beats: five times a second, and for each packet while somebody watches.
Nothing that the source does can keep the loop from beating, and nothing that the disk does can keep the
source from being read.
"""

import argparse
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

from omma_engine.capture.bell import Bell
from omma_engine.capture.causes import gap_cause
from omma_engine.capture.control import ControlLine
from omma_engine.capture.door import door_of
from omma_engine.capture.journal import Journal, journal_path
from omma_engine.capture.mailbox import Broken, Mailbox, Opened, Overflowed
from omma_engine.capture.messages import NewsKind, StateNews
from omma_engine.capture.process import die_with_parent, name_process
from omma_engine.capture.publishing import PublisherFactory, publisher_factory
from omma_engine.capture.pulse import Pulse
from omma_engine.capture.reader import SourceReader
from omma_engine.capture.session import Figures, Session
from omma_engine.capture.spec import decode_spec, decode_volumes
from omma_engine.capture.vigil import Vigil
from omma_engine.clock import Clock, SystemClock
from omma_engine.errors import ProtocolError, SourceEndedError
from omma_engine.logs import log_to_stderr
from omma_engine.memory import use_one_arena
from omma_engine.record.recorder import Coding, StreamRecorder
from omma_engine.record.volume import IDENTITY_FILE
from omma_engine.sources.base import Delivery, SourceInfo, packet_source
from omma_engine.timing.recorded_time import RecordedTime
from omma_engine.types import GapCause, RecordMode, SourceSpec, SourceState

logger = logging.getLogger(__name__)

_TICK_S = 0.2
_LONG_TICK_S = 0.5  # where the reading thread rings anyway
_SILENCE_US = 5_000_000
_START_S = 10.0
_STOP_S = 3
_MOST_US_A_TURN = 500_000
_LONG_TURN_S = 4.0


class CaptureChild:
    """The packet loop. Runs in the main thread of its process."""

    def __init__(self, line: ControlLine, publishers: PublisherFactory, clock: Clock | None = None) -> None:
        self._line = line
        self._publishers = publishers
        self._clock = clock or SystemClock()
        self._mailbox = Mailbox()
        self._bell = Bell()
        self._stop_reason = ""
        self._state = SourceState.CONNECTING
        self._heard_us = self._clock.monotonic_us()
        self._figures = Figures()
        self._pulse = Pulse(self._figures, self._mailbox)
        self._is_behind = self._was_held_up = False

    def run(self) -> int:
        """Capture until told to stop, and return the exit status."""
        signal.signal(signal.SIGTERM, self._on_term)
        start = self._wait_for_start()
        if start is None:
            return 0
        spec, epoch = decode_spec(start["spec"]), int(start["epoch"])
        name_process(f"omma {str(spec.source_id)[-8:]}")
        self._prepare(spec, epoch, not_before_us=int(start.get("not_before_us", 0)))
        self._vigil = Vigil(self._beat_at_disk, now_us=self._clock.monotonic_us())
        self._reader.on_read = self._vigil.look
        self._reader.on_round = self._bell.ring
        self._reader.start()
        while not self._stop_reason:
            self._round()
        self._finish()
        return 0

    def _prepare(self, spec: SourceSpec, epoch: int, *, not_before_us: int) -> None:
        if len(spec.streams) != 1:
            raise ProtocolError(f"expected a source of one stream, got {len(spec.streams)}")
        (stream,) = spec.streams
        self._spec = spec
        self._time = time = RecordedTime(self._clock, not_before_us=not_before_us)
        self._is_single_session = bool(spec.options.get("single_session"))
        self._stream_id = stream.stream_id
        self._journal = Journal(
            journal_path(stream.volume_root, spec.source_id, epoch), keeps_off=_is_no_volume
        )
        self._say_state(SourceState.CONNECTING)
        self._recorder = StreamRecorder(
            stream,
            epoch=epoch,
            say=self._say_news,
            clock=time,
            on_volume=lambda root: self._journal.move(journal_path(root, spec.source_id, epoch)),
        )
        self._publisher = self._publishers(stream.stream_id)
        self._session: Session | None = None
        self._reader = SourceReader(
            lambda: packet_source(spec, time.steady), self._mailbox, self._clock, door_of(spec)
        )

    def _wait_for_start(self) -> dict[str, Any] | None:
        deadline_us = self._clock.monotonic_us() + int(_START_S * 1_000_000)
        while self._clock.monotonic_us() < deadline_us and not self._stop_reason and not self._line.is_closed:
            for message in self._line.wait(_TICK_S):
                if message.get("do") == "start":
                    self._heard_us = self._clock.monotonic_us()
                    return message
        return None

    def _round(self) -> None:
        self._reader.demand = self._publisher.level
        tick_s = _LONG_TICK_S if self._reader.rings else _TICK_S
        for message in self._line.wait(0 if self._is_behind else tick_s, self._bell):
            self._heed(message)
        if self._clock.monotonic_us() - self._heard_us > _SILENCE_US:  # asked now: the disk may take longer
            self._stop_reason = "the supervisor is silent"
        self._time.look()
        self._is_behind = not self._empty_mailbox()
        self._recorder.tick()
        now_us = self._clock.monotonic_us()
        self._note_turn(self._vigil.turned(now_us))
        if self._line.is_closed:
            self._stop_reason = "the supervisor is gone"
        elif self._reader.is_hung:
            self._stop_reason = "the source hangs"
        elif self._time.is_hopeless:
            self._stop_reason = "the server's clock was set back by more than a day"
        elif self._pulse.is_due(now_us):
            self._line.say({"say": "beat", **self._pulse.beat(now_us, self._state)})

    def _note_turn(self, took_s: float) -> None:
        """Say the state anew once a disk that held up the loop has been caught up with."""
        if took_s > _LONG_TURN_S:
            self._was_held_up = True
        elif self._was_held_up and not self._is_behind:
            self._was_held_up = False
            self._say_state(self._state)

    def _heed(self, message: dict[str, Any]) -> None:
        self._heard_us = self._clock.monotonic_us()
        match message.get("do"):
            case "ack":
                self._journal.ack(int(message["sequence"]))
            case "mode":
                if UUID(str(message["stream_id"])) == self._stream_id:
                    self._recorder.set_mode(RecordMode(message["mode"]))
            case "volumes":
                if UUID(str(message["stream_id"])) == self._stream_id and message["volumes"]:
                    self._recorder.set_volumes(decode_volumes(message["volumes"]))
            case "stop":
                self._stop_reason = str(message.get("reason", "planned"))
            case "beat":
                self._reader.is_held = bool(message.get("alone")) and self._is_single_session
            case "start":
                pass
            case other:
                logger.warning("the supervisor said %r, which no child knows", other)

    def _empty_mailbox(self) -> bool:
        """Take what waits, for a while; return whether that was all."""
        until_us = self._clock.monotonic_us() + _MOST_US_A_TURN
        while self._clock.monotonic_us() < until_us:
            match self._mailbox.take():
                case None:
                    return True
                case Delivery() as delivery:
                    if self._session is not None and self._session.take(delivery, self._figures):
                        self._say_live(self._session.coding)
                case Opened(info):
                    self._session = self._new_session(info)
                    self._say_live(self._session.coding)
                case Broken() as broken:
                    self._broken(broken)
                case Overflowed(count):
                    self._recorder.interrupt(GapCause.OVERLOAD, f"{count} packets were dropped")
        return False

    def _new_session(self, info: SourceInfo) -> Session:
        not_before_us = self._session.latest_us if self._session else 0
        return Session(info, self._recorder, self._publisher, self._time, not_before_us=not_before_us)

    def _say_live(self, coding: Coding) -> None:
        numerator, denominator = coding.codec.frame_rate
        news = self._state_news(SourceState.LIVE)
        news["codec"] = coding.codec.codec
        news["width"], news["height"] = coding.codec.width, coding.codec.height
        news["frame_rate"] = round(numerator / denominator, 3) if denominator else 0.0
        news["has_audio"] = coding.audio is not None
        self._tell_state(news)

    def _broken(self, broken: Broken) -> None:
        if self._session is not None:
            self._session.close()
        error = broken.error
        if isinstance(error, SourceEndedError):
            self._recorder.finish()
        else:
            self._recorder.interrupt(gap_cause(error), str(error))
        news = self._state_news(broken.state, code=error.code, detail=str(error))
        if broken.retry_in_s is not None:
            news["retry_at_us"] = news["at_us"] + round(broken.retry_in_s * 1_000_000)
        self._tell_state(news)

    def _say_state(self, state: SourceState, *, code: str = "", detail: str = "") -> None:
        self._tell_state(self._state_news(state, code=code, detail=detail))

    def _state_news(self, state: SourceState, *, code: str = "", detail: str = "") -> StateNews:
        return StateNews(
            kind=NewsKind.STATE,
            source_id=str(self._spec.source_id),
            state=state,
            code=code,
            detail=detail,
            at_us=self._clock.now_us(),
        )

    def _tell_state(self, news: StateNews) -> None:
        self._state = SourceState(news["state"])
        self._say_news(news)

    def _say_news(self, payload: Any) -> None:
        sequence = self._journal.append(payload)
        self._line.say({"say": "news", "sequence": sequence, "payload": payload})

    def _beat_at_disk(self, seconds: float) -> None:
        self._line.say({"say": "beat", **self._pulse.beat_at_disk(seconds, self._state)})

    def _finish(self) -> None:
        """Close what is open and say goodbye; an alarm ends what takes longer than three seconds."""
        signal.alarm(_STOP_S)
        self._reader.stop()
        while not self._empty_mailbox():
            continue
        if self._session is not None:
            self._session.close()
        self._recorder.finish()
        self._say_state(SourceState.STOPPED, detail=self._stop_reason)
        self._line.say({"say": "bye", "reason": self._stop_reason})
        self._line.close()
        self._journal.close()
        self._publisher.close()

    def _on_term(self, signum: int, frame: FrameType | None) -> None:
        del signum, frame
        self._stop_reason = self._stop_reason or "told to end"


def _is_no_volume(root: Path) -> bool:
    """Tell whether a folder is no volume: the empty one, say, that an unmounted disk leaves behind."""
    return not (root / IDENTITY_FILE).exists()


def run_child(connection: socket.socket, publishers: PublisherFactory) -> int:
    """Run a child on its end of the control line, in its own process; return the exit status."""
    try:
        return CaptureChild(ControlLine(connection), publishers).run()
    except Exception:
        logger.exception("a capture child failed")
        return 70


def main(arguments: list[str]) -> int:
    """Run the child of an exec'd process."""
    parser = argparse.ArgumentParser(prog="omma_engine.capture.child")
    parser.add_argument("--socket-fd", type=int, required=True)
    parser.add_argument("--publisher", required=True)
    parser.add_argument("--bus-url", default="")
    parser.add_argument("--data-dir", type=Path, required=True)
    options = parser.parse_args(arguments)
    die_with_parent()
    use_one_arena()
    log_to_stderr()
    return run_child(
        socket.socket(fileno=options.socket_fd), publisher_factory(options.publisher, options.bus_url)
    )


if __name__ == "__main__":
    status = main(sys.argv[1:])
    logging.shutdown()
    os._exit(status)  # not by way of the interpreter: the reading thread may be blocked in a library
