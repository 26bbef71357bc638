"""Single pictures out of footage, for `still.jpg?at=`."""

from datetime import datetime, timedelta
from uuid import UUID

from apps.core.exceptions import NotVisibleError
from apps.core.times import to_us
from apps.recordings.footage import slices_between
from apps.streams.live.archive import Grab
from omma_engine.errors import PlaybackError

REACH = timedelta(seconds=1)  # footage that begins this much later still shows the moment


def find_footage(stream_id: UUID, at: datetime) -> Grab:
    """Return what makes the picture shown at that time; it opens no database."""
    # Not at the top: OpenCV and FFmpeg would weigh on every process that knows recordings.
    from omma_engine.playback.picture import encode_jpeg, grab_picture

    slices = slices_between(stream_id, at, at + REACH)
    if not slices:
        raise NotVisibleError("Nothing is recorded at this time.")

    def grab(max_width: int | None) -> bytes:
        try:
            return encode_jpeg(grab_picture(slices, at_us=to_us(at)).pixels, max_width=max_width)
        except PlaybackError as error:
            raise NotVisibleError("Nothing is recorded at this time.") from error

    return grab
