"""Packets to fragments: FFmpeg's MP4 muxer, its output caught and cut into whole pieces.

The file's time is the wall time since its segment began, in 1/90000 s, whatever ticks the camera counts in.
Nothing is written here: the caller gets the header and whole fragments as bytes, so that an error of the disk
never passes through FFmpeg.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av
from av.stream import Stream

from omma_engine.record.boxes import Track, boxes
from omma_engine.record.index import IndexedFragment, fragment_of, video_track
from omma_engine.types import CodecInfo

logger = logging.getLogger(__name__)

TICKS_PER_SECOND = 90_000
_FRAGMENT_KINDS = frozenset({b"moof", b"mdat"})
_OPTIONS = {
    # negative_cts_offsets: a file with B-frames begins at time zero. frag_discont: sound may begin later.
    "movflags": "+empty_moov+default_base_moof+frag_keyframe+negative_cts_offsets+frag_discont+skip_trailer",
    "flush_packets": "1",
    "avoid_negative_ts": "disabled",
    # Sound that stops must not hold back pictures: without a limit the muxer waits up to ten seconds for it.
    "max_interleave_delta": "200000",
}
_TIME_BASE = Fraction(1, TICKS_PER_SECOND)
_BUFFER_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """The sound track of a file: AAC-LC."""

    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class MuxedFragment:
    """One whole fragment: its bytes in pieces, as FFmpeg gave them, because joining them would copy them.

    `entry` is its index entry at offset zero; None where it holds sound only.
    """

    pieces: tuple[bytes, ...]
    entry: IndexedFragment | None


class FragmentMuxer:
    """Muxes one segment. One thread.

    `on_fragment` is called from within `add_video`, `add_audio` and `close`, and must not raise.
    """

    def __init__(
        self,
        codec: CodecInfo,
        audio: AudioFormat | None,
        *,
        fragment_us: int,
        on_fragment: Callable[[MuxedFragment], None],
    ) -> None:
        self._on_fragment = on_fragment
        self._catcher = _BoxCatcher(self._take_box)
        self._codec = codec
        self._header = b""
        self._moof = b""
        self._track: Track | None = None
        self._output = av.open(
            self._catcher,
            "w",
            format="mp4",
            options=_OPTIONS | {"frag_duration": str(fragment_us)},
            buffer_size=_BUFFER_BYTES,
        )
        self._video = self._output.add_mux_stream(
            codec.codec,
            rate=Fraction(*codec.frame_rate) if codec.frame_rate[0] else None,
            width=codec.width,
            height=codec.height,
            time_base=_TIME_BASE,
        )
        self._audio = self._add_audio(audio) if audio else None
        self._audio_time_base = Fraction(1, audio.sample_rate) if audio else _TIME_BASE
        self._last_video_dts = self._last_audio_pts = -(1 << 62)

    def _add_audio(self, audio: AudioFormat) -> av.AudioStream:
        layout = "mono" if audio.channels == 1 else "stereo"
        return self._output.add_stream("aac", rate=audio.sample_rate, layout=layout)

    @property
    def header(self) -> bytes:
        """Return the file's first section, complete once the first fragment is out."""
        return self._header

    def add_video(self, data: bytes, *, pts: int, dts: int, duration: int, is_keyframe: bool) -> bool:
        """Add a picture, and return whether the muxer could take it.

        Times in ticks since the segment began; a `dts` that does not advance is moved on by one.
        """
        dts = max(dts, self._last_video_dts + 1)
        self._last_video_dts = dts
        packet = av.Packet(data)
        packet.stream = self._video
        packet.pts, packet.dts, packet.duration = max(pts, dts), dts, duration
        packet.is_keyframe = is_keyframe
        return self._mux(packet)

    def add_audio(self, data: bytes, *, pts: int, duration: int) -> bool:
        """Add a piece of AAC, and return whether it was taken; times in samples since the segment began.

        What overlaps the piece before is left out.
        """
        if self._audio is None or pts <= self._last_audio_pts:
            return False
        self._last_audio_pts = pts
        packet = av.Packet(data)
        packet.stream = self._audio
        packet.time_base = self._audio_time_base
        packet.pts = packet.dts = pts
        packet.duration = duration
        packet.is_keyframe = True
        return self._mux(packet)

    def close(self) -> None:
        """Give out the last fragment. The muxer takes nothing afterwards."""
        try:
            self._output.close()
        except av.FFmpegError as error:
            logger.warning("the last fragment of a segment is lost: %s", error.strerror)

    def _mux(self, packet: "av.Packet[Stream]") -> bool:
        try:
            self._output.mux_one(packet)
        except av.FFmpegError:  # garbage from the camera: this picture is left out, the file goes on
            return False
        return True

    def _take_box(self, kind: bytes, pieces: tuple[bytes, ...]) -> None:
        if kind == b"mdat" and self._moof:
            moof, self._moof = self._moof, b""
            self._give_out(moof, pieces)
        elif kind == b"moof":
            self._moof = b"".join(pieces)
        elif kind not in _FRAGMENT_KINDS:
            data = b"".join(pieces)
            self._header += _with_hvc1(data) if kind == b"moov" else data

    def _give_out(self, moof: bytes, mdat: tuple[bytes, ...]) -> None:
        if self._track is None:
            self._track = video_track(self._header)
        size = len(moof) + sum(len(piece) for piece in mdat)
        entry = fragment_of(next(boxes(moof)).body, offset=0, size=size, video=self._track)
        self._on_fragment(MuxedFragment((moof, *mdat), entry))


def _with_hvc1(moov: bytes) -> bytes:
    """Mark H.265 as `hvc1` in a movie header: FFmpeg writes `hev1`, which Apple's players refuse."""
    return moov.replace(b"hev1", b"hvc1", 1)


class _BoxCatcher:
    """The muxer's output: cuts what is written into whole top-level boxes. It cannot be seeked."""

    def __init__(self, on_box: Callable[[bytes, tuple[bytes, ...]], None]) -> None:
        self._on_box = on_box
        self._chunks: list[bytes] = []
        self._held = 0
        self._wanted = 0

    def write(self, data: bytes) -> int:
        self._chunks.append(data)
        self._held += len(data)
        while self._held >= 8 and self._held >= self._box_size():
            self._emit()
        return len(data)

    def _box_size(self) -> int:
        if not self._wanted:
            if len(self._chunks[0]) < 8:
                self._chunks = [b"".join(self._chunks)]
            self._wanted = int.from_bytes(self._chunks[0][:4], "big")
        return self._wanted

    def _emit(self) -> None:
        """Give out the first box: the chunks that hold it, the last one cut where the next box begins."""
        surplus = self._held - self._wanted
        pieces = self._chunks
        self._chunks, self._held, self._wanted = [], surplus, 0
        while surplus and surplus >= len(pieces[-1]):
            self._chunks.insert(0, pieces.pop())
            surplus -= len(self._chunks[0])
        if surplus:
            last = pieces[-1]
            self._chunks.insert(0, last[-surplus:])
            pieces[-1] = last[:-surplus]
        self._on_box(pieces[0][4:8], tuple(pieces))
