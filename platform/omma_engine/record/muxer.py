"""Packets to fragments (ISO/IEC 14496-12, 8.8): whole moof and mdat boxes behind a movie header.

The file's time is the wall time since its segment began, in 1/90000 s, whatever ticks the camera counts in.
FFmpeg's own muxer copies each picture three times and looks into it once more; here pictures are gathered
until their fragment is whole, and are copied once. Nothing is written here: the caller gets the header and
whole fragments as bytes.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from omma_engine.record.boxes import Track
from omma_engine.record.header import TICKS_PER_SECOND, AudioFormat, MovieHeader, movie_header
from omma_engine.record.index import IndexedFragment
from omma_engine.record.samples import Pieces, sample_pieces
from omma_engine.types import CodecInfo, Fragment

_KEY = 0x0200_0000  # depends on no other sample
_NOT_KEY = 0x0101_0000  # depends on others, and is no entry
_BASE_IS_MOOF = 0x02_0000
_WITH_OFFSETS = 0x0F01  # data offset; of each sample duration, size, flags and composition offset
_WITHOUT_OFFSETS = 0x0701
_VERSION_1 = 1 << 24
_HEADER_BYTES = 8
_MOST_SOUND_S = 1


@dataclass(frozen=True, slots=True)
class MuxedFragment:
    """One whole fragment. `entry` is its index entry at offset zero; None where it holds sound only."""

    data: bytes
    entry: IndexedFragment | None


class _Sample(NamedTuple):
    pieces: Pieces
    size: int
    decode: int
    offset: int
    duration: int
    is_key: bool


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
        self._codec = codec
        self._audio = audio
        self._on_fragment = on_fragment
        self._fragment_ticks = fragment_us * TICKS_PER_SECOND // 1_000_000
        self._header: MovieHeader | None = None
        self._pictures: list[_Sample] = []
        self._sound: list[_Sample] = []
        self._first: tuple[int, int] | None = None  # decoding time and presentation time of the first picture
        self._last_video_dts = self._last_audio_pts = -(1 << 62)
        self._number = 0

    @property
    def header(self) -> bytes:
        """Return the file's first section, complete once the first fragment is out."""
        return self._header.data if self._header else b""

    def add_video(
        self,
        data: bytes,
        *,
        pts: int,
        dts: int,
        duration: int,
        is_keyframe: bool,
        starts: Sequence[int] = (),
    ) -> bool:
        """Add a picture, and return whether it could be taken.

        Times in ticks since the segment began; a `dts` that does not advance is moved on by one. `starts` are
        the places of all its start codes, where they are known.
        """
        pieces = sample_pieces(self._codec.codec, data, starts)
        self._header = self._header or movie_header(self._codec, self._audio, self._codec.extradata or data)
        if not pieces or self._header is None:
            return False
        dts = max(dts, self._last_video_dts + 1)
        pts = max(pts, dts)
        self._last_video_dts = dts
        if self._first is None:
            self._first = dts, pts
        decode = dts - self._first[0] + self._first[1]
        if self._pictures and (is_keyframe or decode - self._pictures[0].decode >= self._fragment_ticks):
            self._give_out(decode)
        size = sum(map(len, pieces))
        self._pictures.append(_Sample(pieces, size, decode, pts - decode, duration, is_keyframe))
        return True

    def add_audio(self, data: bytes, *, pts: int, duration: int) -> bool:
        """Add a piece of AAC, and return whether it was taken; times in samples since the segment began.

        What overlaps the piece before is left out.
        """
        if self._audio is None or self._header is None or pts <= self._last_audio_pts:
            return False
        self._last_audio_pts = pts
        if self._sound and pts - self._sound[0].decode >= _MOST_SOUND_S * self._audio.sample_rate:
            self._give_out(None)  # pictures stay away
        self._sound.append(_Sample((data,), len(data), pts, 0, duration, True))
        return True

    def close(self) -> None:
        """Give out the last fragment. The muxer takes nothing afterwards."""
        if self._pictures or self._sound:
            self._give_out(None)

    def _give_out(self, next_decode: int | None) -> None:
        """Make a fragment of what is gathered; `next_decode` is when the picture after it is decoded."""
        header = self._header
        assert header is not None  # noqa: S101 (nothing is gathered before there is one)
        pictures, self._pictures = self._pictures, []
        sound, self._sound = self._sound, []
        runs = [(header.video, pictures, _durations(pictures, next_decode))] if pictures else []
        if sound and header.audio:
            runs.append((header.audio, sound, _durations(sound, None)))
        self._number += 1
        data = _fragment(self._number, runs)
        entry = _entry(pictures, runs[0][2], len(data), header.video.timescale) if pictures else None
        self._on_fragment(MuxedFragment(data, entry))


_Run = tuple[Track, Sequence[_Sample], Sequence[int]]


def _durations(samples: Sequence[_Sample], end: int | None) -> list[int]:
    """Return how long each sample lasts: until the next one, the last one as long as it says itself."""
    starts = [sample.decode for sample in samples]
    last = end if end is not None else starts[-1] + samples[-1].duration
    return [later - earlier for earlier, later in zip(starts, [*starts[1:], last], strict=True)]


def _entry(pictures: Sequence[_Sample], durations: Sequence[int], size: int, scale: int) -> IndexedFragment:
    first = pictures[0]
    start = first.decode + (first.offset if first.is_key else 0)
    start_us = start * 1_000_000 // scale
    end_us = (start + sum(durations)) * 1_000_000 // scale
    return IndexedFragment(Fragment(start_us, end_us - start_us, 0, size, first.is_key), len(pictures))


def _fragment(number: int, runs: Sequence[_Run]) -> bytes:
    """Return moof and mdat; the samples of one track lie together."""
    has_offsets = [any(sample.offset for sample in samples) for _, samples, _ in runs]
    sizes = [
        _HEADER_BYTES + 16 + 20 + 20 + len(samples) * (16 if with_offsets else 12)
        for (_, samples, _), with_offsets in zip(runs, has_offsets, strict=True)
    ]
    moof_size = _HEADER_BYTES + 16 + sum(sizes)
    parts: list[bytes | memoryview] = [struct.pack(">I4sI4sII", moof_size, b"moof", 16, b"mfhd", 0, number)]
    position = moof_size + _HEADER_BYTES
    for (track, samples, durations), with_offsets, size in zip(runs, has_offsets, sizes, strict=True):
        parts.append(_traf(track, samples, durations, size, position, with_offsets=with_offsets))
        position += sum(sample.size for sample in samples)
    parts.append(struct.pack(">I4s", position - moof_size, b"mdat"))
    for _, samples, _ in runs:
        for sample in samples:
            parts += sample.pieces
    return b"".join(parts)


def _traf(
    track: Track,
    samples: Sequence[_Sample],
    durations: Sequence[int],
    size: int,
    position: int,
    *,
    with_offsets: bool,
) -> bytes:
    words: list[int] = []
    for sample, duration in zip(samples, durations, strict=True):
        words += (duration, sample.size, _KEY if sample.is_key else _NOT_KEY)
        if with_offsets:
            words.append(sample.offset & 0xFFFF_FFFF)
    run_flags = _VERSION_1 | (_WITH_OFFSETS if with_offsets else _WITHOUT_OFFSETS)
    return struct.pack(
        f">I4sI4sIII4sIQI4sIIi{len(words)}I",
        *(size, b"traf"),
        *(16, b"tfhd", _BASE_IS_MOOF, track.track_id),
        *(20, b"tfdt", _VERSION_1, samples[0].decode),
        *(size - _HEADER_BYTES - 36, b"trun", run_flags, len(samples), position),
        *words,
    )
