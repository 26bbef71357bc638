"""One seekable MP4 of a range, copied from segment fragments without decoding.

Times in the clip keep the distances of the wall clock, drift included: the picture before a hole stays for
as long as the hole was, up to `MAX_SHOWN_HOLE_US`. A longer hole takes no time in the clip; `ClipPart` says
which stretch of wall time each stretch of the clip shows.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self, TypeAlias, cast

import av
from av.container import InputContainer, OutputContainer

from omma_engine.errors import FootageDamagedError, FootageMixedError
from omma_engine.ids import uuid7
from omma_engine.playback.completeness import UnseenFragments
from omma_engine.playback.files import PieceFile
from omma_engine.playback.parameter_sets import parameter_sets
from omma_engine.playback.slices import JOIN_TOLERANCE_US, Piece, Selection

MAX_SHOWN_HOLE_US = 10_000_000
_FORMAT_SERIAL = 1  # raised when the same footage yields other bytes
_TICKS_HZ = 90_000
_SECOND_US = 1_000_000
_READ_BUFFER_BYTES = 1 << 20

_Packet: TypeAlias = "av.Packet[av.stream.Stream]"


@dataclass(frozen=True, slots=True)
class ClipPart:
    """A stretch of a clip, `at_us` after its start, that shows wall time `[start_us, end_us)`."""

    at_us: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished file. `key` names its exact content: the same key is the same bytes."""

    path: Path
    key: str
    size_bytes: int


def clip_parts(selection: Selection) -> tuple[ClipPart, ...]:
    """Return where each run of footage lies in the clip, one part per run without a hole."""
    parts: list[ClipPart] = []
    removed_us = 0
    for piece in selection.pieces:
        if parts:
            hole_us = piece.start_us - parts[-1].end_us
            removed_us += hole_us if hole_us > MAX_SHOWN_HOLE_US else 0
            if hole_us <= JOIN_TOLERANCE_US:
                parts[-1] = ClipPart(parts[-1].at_us, parts[-1].start_us, piece.end_us)
                continue
        at_us = piece.start_us - selection.start_us - removed_us
        parts.append(ClipPart(at_us, piece.start_us, piece.end_us))
    return tuple(parts)


def clip_key(selection: Selection) -> str:
    """Return the name of the clip's exact content, as 64 hexadecimal digits."""
    facts = [
        [str(piece.source.segment_id), piece.start_us, piece.limit_us, _byte_ranges(piece)]
        for piece in selection.pieces
    ]
    return hashlib.sha256(json.dumps([_FORMAT_SERIAL, facts]).encode()).hexdigest()


def _byte_ranges(piece: Piece) -> list[tuple[int, int]]:
    return [(one.offset, one.size) for one in piece.fragments]


def build_clip(selection: Selection, folder: Path) -> Clip:
    """Return the clip of a selection, made in `folder` unless it is there already.

    Opens every segment before writing, so that footage deleted meanwhile stays whole. Builders of the same
    clip wait for each other, threads and processes alike; the finished file appears at once, by rename.

    Raises:
        FootageMixedError: the footage changes codec or picture size; the error names the uniform parts.
        FootageMissingError: a file is gone or shorter than its row says.
        FootageDamagedError: a file holds no readable video.
    """
    _refuse_mixed(selection.pieces)
    key = clip_key(selection)
    path = folder / f"{key}.mp4"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with _only_builder(folder / f"{key}.lock"):
            if not path.exists():
                _write(selection, path)
    os.utime(path)  # the cache is cleaned by last use
    return Clip(path, key, path.stat().st_size)


@contextmanager
def _only_builder(lock_path: Path) -> Iterator[None]:
    with lock_path.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _refuse_mixed(pieces: Sequence[Piece]) -> None:
    parts: list[list[Piece]] = []
    for piece in pieces:
        if parts and parts[-1][-1].kind == piece.kind:
            parts[-1].append(piece)
        else:
            parts.append([piece])
    if len(parts) > 1:
        kinds = ", ".join(
            f"{codec} {width}x{height}" for codec, width, height in (part[0].kind for part in parts)
        )
        message = f"expected footage of one codec and size, got {kinds}"
        raise FootageMixedError(message, tuple((part[0].start_us, part[-1].end_us) for part in parts))


def _write(selection: Selection, path: Path) -> None:
    waiting = path.with_name(f"{path.stem}.{uuid7()}.part")
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(PieceFile.open_piece(piece)) for piece in selection.pieces]
            options = {"movflags": "faststart", "video_track_timescale": str(_TICKS_HZ)}
            output = stack.enter_context(av.open(str(waiting), "w", format="mp4", options=options))
            writer = _ClipWriter(output)
            offsets = _piece_offsets(selection)
            for piece, file, at_us in zip(selection.pieces, files, offsets, strict=True):
                writer.append(piece, file, at_us)
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)


def _piece_offsets(selection: Selection) -> list[int]:
    parts = clip_parts(selection)
    offsets = []
    for piece in selection.pieces:
        part = next(one for one in reversed(parts) if one.start_us <= piece.start_us)
        offsets.append(part.at_us + piece.start_us - part.start_us)
    return offsets


@dataclass(slots=True)
class _Track:
    """One track of the clip: `last_dts` is the decoding time last written, in ticks of `ticks_hz`."""

    stream: av.VideoStream | av.AudioStream
    ticks_hz: int
    last_dts: int | None = None


@dataclass(frozen=True, slots=True)
class _Placing:
    """How a piece's times become the clip's: seconds from `origin_s` move to `at_s`.

    Sound ends with the piece, and pictures where the next piece takes over.
    """

    origin_s: Fraction
    at_s: Fraction
    sound_limit_s: Fraction
    picture_limit_s: Fraction | None

    @classmethod
    def of_piece(cls, piece: Piece, *, origin_s: Fraction, at_us: int) -> Self:
        length_s = Fraction(piece.end_us - piece.start_us, _SECOND_US)
        limit_s = None if piece.limit_us is None else Fraction(piece.limit_us - piece.start_us, _SECOND_US)
        return cls(origin_s, Fraction(at_us, _SECOND_US), length_s, limit_s)

    def shows(self, time_s: Fraction, *, is_sound: bool) -> bool:
        """Whether a packet this long after the first picture belongs in; earlier ones lack their GOP."""
        limit_s = self.sound_limit_s if is_sound else self.picture_limit_s
        return time_s >= 0 and (limit_s is None or time_s < limit_s)


class _ClipWriter:
    """Copies the packets of one piece after another into one MP4."""

    def __init__(self, output: OutputContainer) -> None:
        self._output = output
        self._video: _Track | None = None
        self._audio: _Track | None = None

    def append(self, piece: Piece, file: PieceFile, at_us: int) -> None:
        try:
            with av.open(file, mode="r", format="mp4", buffer_size=_READ_BUFFER_BYTES) as source:
                self._append(source, piece, at_us)
        except av.error.InvalidDataError as exc:
            message = f"expected video in {piece.source.path}, got unreadable data"
            raise FootageDamagedError(message) from exc

    def _append(self, source: InputContainer, piece: Piece, at_us: int) -> None:
        if not source.streams.video:
            message = f"expected video in {piece.source.path}, got none"
            raise FootageDamagedError(message)
        video, audio = source.streams.video[0], self._matching_audio(source)
        video_track, prefix = self._open_tracks(video, audio)
        placing: _Placing | None = None
        early: list[_Packet] = []
        unseen = UnseenFragments(piece)
        for packet in source.demux(*([video] if audio is None else [video, audio])):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            is_video = packet.stream.type == "video"
            if is_video:
                unseen.take(packet.pos)
            if placing is None and is_video:
                origin_s = packet.pts * packet.time_base
                placing = _Placing.of_piece(piece, origin_s=origin_s, at_us=at_us)
                for waiting in early:
                    self._copy_sound(waiting, placing)
            if placing is None:
                early.append(packet)
            elif is_video:
                self._copy(packet, video_track, placing, prefix if packet.is_keyframe else b"")
            else:
                self._copy_sound(packet, placing)
        unseen.refuse()

    def _open_tracks(self, video: av.VideoStream, audio: av.AudioStream | None) -> tuple[_Track, bytes]:
        """Make the tracks on the first piece; return the video's, and a new encoder's parameter sets."""
        if self._video is None:
            self._video = _Track(self._output.add_stream_from_template(video), _TICKS_HZ)
            if audio is not None:
                self._audio = _Track(self._output.add_stream_from_template(audio), audio.sample_rate)
            return self._video, b""
        extradata = video.codec_context.extradata or b""
        if extradata == self._video.stream.codec_context.extradata:
            return self._video, b""
        return self._video, parameter_sets(video.codec_context.name, extradata) or b""

    def _matching_audio(self, source: InputContainer) -> av.AudioStream | None:
        """Return the sound that the clip's sound track can take; another kind is left out."""
        if not source.streams.audio or (self._video is not None and self._audio is None):
            return None
        audio = source.streams.audio[0]
        if self._audio is None:
            return audio
        kept = self._audio.stream.codec_context
        same = (kept.name, kept.extradata) == (audio.codec_context.name, audio.codec_context.extradata)
        return audio if same and audio.sample_rate == self._audio.ticks_hz else None

    def _copy_sound(self, packet: _Packet, placing: _Placing) -> None:
        if self._audio is not None:
            self._copy(packet, self._audio, placing, b"")

    def _copy(self, packet: _Packet, track: _Track, placing: _Placing, prefix: bytes) -> None:
        # The caller skips packets without times, so the casts hold.
        base = packet.time_base
        pts_s = cast("int", packet.pts) * base - placing.origin_s
        dts_s = cast("int", packet.dts) * base - placing.origin_s
        is_sound = packet.stream.type == "audio"
        if not placing.shows(pts_s, is_sound=is_sound):
            return
        pts = round((pts_s + placing.at_s) * track.ticks_hz)
        dts = round((dts_s + placing.at_s) * track.ticks_hz)
        if track.last_dts is not None and dts <= track.last_dts:
            if is_sound:
                return
            dts = track.last_dts + 1
        track.last_dts = dts
        copied = _with_prefix(packet, prefix) if prefix else packet
        copied.duration = round((packet.duration or 0) * base * track.ticks_hz)
        copied.time_base = Fraction(1, track.ticks_hz)
        copied.pts, copied.dts = max(pts, dts), dts
        copied.stream = track.stream
        self._output.mux(copied)


def _with_prefix(packet: _Packet, prefix: bytes) -> _Packet:
    copied = av.Packet(prefix + bytes(packet))
    copied.is_keyframe = packet.is_keyframe
    return copied
