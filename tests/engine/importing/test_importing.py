"""Video files become segments: what is kept as it is, what is encoded once, and what is refused."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import pytest

from omma_engine.errors import VideoFileError
from omma_engine.importing.job import ImportJob, import_video
from omma_engine.record.recover import inspect_segment
from tests.engine.importing.clips import write_clip, write_sound_only

START_US = 1_700_000_000_000_000
STREAM = UUID(int=7)


class Imported:
    """What came of an import: the facts, and the segments' files."""

    def __init__(self, folder: Path, told: dict[str, Any]) -> None:
        self.facts = told["facts"]
        self.opened = [news for news in told["news"] if news["kind"] == "segment_open"]
        self.closed = [news for news in told["news"] if news["kind"] == "segment_close"]
        self.paths = [folder / "volume" / news["path"] for news in self.opened]

    def pictures(self) -> list[av.VideoFrame]:
        frames = []
        for path in self.paths:
            with av.open(str(path)) as container:
                frames += list(container.decode(video=0))
        return frames


def bring_in(source: Path, folder: Path, **changes: Any) -> Imported:
    job = ImportJob(source, folder / "volume", "v", STREAM, START_US, **changes)
    return Imported(folder, json.loads(import_video(job, folder, lambda _share: None).read_text()))


def test_a_plain_video_is_copied_picture_by_picture_with_its_sound(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", frames=30, with_sound=True)

    imported = bring_in(source, tmp_path)

    with av.open(str(source)) as container:
        pictures = [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]
    assert [frame.to_ndarray().tobytes() for frame in imported.pictures()] == pictures
    assert imported.facts["is_copied"]
    assert imported.facts["has_audio"]
    (opened,), (closed,) = imported.opened, imported.closed
    assert (opened["start_us"], opened["clock"], opened["error_us"]) == (START_US, "file", 0)
    assert closed["end_us"] - START_US == pytest.approx(3_000_000, abs=150_000)
    assert inspect_segment(imported.paths[0]).sha256 == closed["sha256"]
    with av.open(str(imported.paths[0])) as container:
        assert container.streams.audio


def test_names_inside_a_video_may_be_in_any_alphabet(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4")
    written = source.read_bytes()
    assert b"Lavf" in written
    source.write_bytes(written.replace(b"Lavf", b"L\xe4vf"))  # Latin-1, which is no UTF-8

    assert len(bring_in(source, tmp_path).pictures()) == 30


def test_long_videos_are_cut_at_keyframes_and_lose_no_picture(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", frames=150, fps=1, gop=7)

    imported = bring_in(source, tmp_path)

    assert len(imported.paths) == 3
    assert len(imported.pictures()) == 150
    ends = [news["end_us"] for news in imported.closed]
    assert ends[:-1] == [news["start_us"] for news in imported.opened[1:]]


@pytest.mark.parametrize(("stated", "marker"), [(90, 270), (270, 90), (180, 180)])
def test_a_turned_video_is_set_upright(tmp_path: Path, stated: int, marker: int) -> None:
    source = write_clip(tmp_path / "a.mp4", rotation=stated)

    imported = bring_in(source, tmp_path)

    assert (imported.facts["turned_by"], imported.facts["is_copied"]) == (marker, False)
    first = imported.pictures()[0]
    assert (first.width, first.height) == ((160, 96) if stated == 180 else (96, 160))
    grey = first.to_ndarray(format="gray")
    with av.open(str(source)) as container:
        assert next(container.decode(video=0)).rotation % 360 == stated
    bright = {90: grey[-1, 5], 270: grey[0, 5], 180: grey[5, -1]}[stated]  # where the left side is now
    assert bright > 80


def test_people_may_say_how_far_a_video_is_turned(tmp_path: Path) -> None:
    imported = bring_in(write_clip(tmp_path / "a.mp4"), tmp_path, rotation=90)

    assert imported.pictures()[0].to_ndarray(format="gray")[0, 5] > 80  # clockwise: left is up


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "mpeg4"), ("a.mov", "mjpeg"), ("a.webm", "libvpx-vp9")]
)
def test_what_browsers_do_not_play_is_encoded_once(tmp_path: Path, name: str, codec: str) -> None:
    imported = bring_in(write_clip(tmp_path / name, codec=codec), tmp_path)

    assert [news["codec"] for news in imported.opened] == ["h264"]
    assert (imported.facts["is_copied"], len(imported.pictures())) == (False, 30)


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times_ms = [0, 40, 80, 500, 540, 3000, 3040, 9000]
    source = write_clip(tmp_path / "a.mkv", frames=8, gop=1, times_ms=times_ms)

    imported = bring_in(source, tmp_path)

    assert imported.facts["is_variable"]
    assert imported.facts["is_copied"]
    shown = [round((frame.pts or 0) * 1000 * (frame.time_base or 0)) for frame in imported.pictures()]
    assert shown == times_ms


def test_rare_keyframes_and_long_stills_are_made_seekable(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", frames=4, gop=100, times_ms=[0, 1000, 2000, 92_000])

    imported = bring_in(source, tmp_path)

    assert not imported.facts["is_copied"]
    assert len(imported.paths) == 2
    assert len(imported.pictures()) == 4 + 8  # a still of 90 s is shown again each ten


def test_8k_is_taken_as_it_is(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", size_wh=(7680, 4320), frames=2, gop=1)

    imported = bring_in(source, tmp_path)

    assert (imported.opened[0]["width"], imported.opened[0]["height"]) == (7680, 4320)
    assert imported.facts["is_copied"]


def test_a_file_that_was_cut_off_is_refused_unless_it_is_wanted_so(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "a.mp4", frames=200, container_options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])

    with pytest.raises(VideoFileError, match=r"it says 20\.0 s and holds") as refused:
        bring_in(cut, tmp_path)
    assert refused.value.reason == "truncated"
    assert not (tmp_path / "volume").exists()

    imported = bring_in(cut, tmp_path, takes_damaged=True)
    assert imported.facts["is_truncated"]
    assert 50 < len(imported.pictures()) < 190


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_a_video"),
        (b"\x00" * 4096, "not_a_video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not_a_video"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n", "not_a_video"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(content)

    with pytest.raises(VideoFileError) as refused:
        bring_in(source, tmp_path)

    assert refused.value.reason == reason
    assert not (tmp_path / "volume").exists()


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoFileError, match="sound only") as refused:
        bring_in(write_sound_only(tmp_path / "a.m4a"), tmp_path)

    assert refused.value.reason == "no_video"


def test_a_video_without_pictures_is_refused(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", frames=1)
    data = bytearray(source.read_bytes())
    start = data.index(b"\x1f\x43\xb6\x75")  # the first cluster: all pictures are in it
    source.write_bytes(bytes(data[:start]))

    with pytest.raises(VideoFileError) as refused:
        bring_in(source, tmp_path)

    assert refused.value.reason in {"no_pictures", "not_a_video"}


def test_a_video_that_is_too_long_is_refused(tmp_path: Path) -> None:
    times_ms = [index * 3_000_000 for index in range(40)]
    source = write_clip(tmp_path / "a.mkv", frames=40, gop=1, times_ms=times_ms)

    with pytest.raises(VideoFileError, match="24 hours") as refused:
        bring_in(source, tmp_path)

    assert refused.value.reason == "too_long"


def test_files_are_read_without_following_what_they_name(tmp_path: Path) -> None:
    playlist = tmp_path / "a.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{write_clip(tmp_path / 'b.mp4')}\n")

    with pytest.raises(VideoFileError):
        bring_in(playlist, tmp_path)
