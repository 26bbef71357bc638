"""Opening a video file that somebody sent: plain containers only, and nothing but the file itself."""

from pathlib import Path

import av
from av.container import InputContainer

from omma_engine.errors import VideoFileError

# No playlists, pictures in a row, or scripts: those name other files and addresses.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,ivf,nut"
MOST_SIDE_PX = 8192


def open_video(path: Path) -> InputContainer:
    """Return the open file. Raises `VideoFileError` where it is no video that can be taken."""
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    try:
        container = av.open(f"file:{path}", "r", options=options, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoFileError(
            "This is no video, or it was cut off before its table of contents", reason="not_a_video"
        ) from error
    try:
        _check(container)
    except VideoFileError:
        container.close()
        raise
    return container


def video_of(container: InputContainer) -> "av.VideoStream":
    """Return the pictures that are meant: the first that are no cover of a piece of music."""
    shown = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not shown:
        what = "sound only" if container.streams.audio else "no pictures"
        raise VideoFileError(f"Expected a video, got a file with {what}", reason="no_video")
    return shown[0]


def _check(container: InputContainer) -> None:
    stream = video_of(container)
    context = stream.codec_context
    if context is None:
        raise VideoFileError("No decoder for its pictures is built in", reason="unknown_coding")
    if not (context.width and context.height):
        raise VideoFileError("There is no picture in it", reason="no_pictures")
    if max(context.width, context.height) > MOST_SIDE_PX:
        size = f"{context.width} x {context.height}"
        raise VideoFileError(f"Expected at most {MOST_SIDE_PX} pixels a side, got {size}", reason="too_large")


def _is_cover(stream: "av.VideoStream") -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
