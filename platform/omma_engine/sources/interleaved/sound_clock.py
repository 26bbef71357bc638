"""Bringing sound onto the timeline of the pictures: each medium counts from a number of its own."""

from omma_engine.timing.envelope import DelayEnvelope


class MediumClock:
    """One medium's clock against UTC: by its sender's report, or by the least delay of what came."""

    def __init__(self) -> None:
        self._envelope = DelayEnvelope()
        self._reported_us: int | None = None

    @property
    def is_reported(self) -> bool:
        return self._reported_us is not None

    def observe(self, media_us: int, arrival_us: int) -> None:
        """Take what came at a time of ours."""
        self._envelope.observe(media_us, arrival_us)

    def report(self, media_us: int, utc_us: int) -> None:
        """Take what the sender says: this media time is that UTC."""
        self._reported_us = utc_us - media_us

    def zero_us(self, *, as_reported: bool) -> int:
        """Return the UTC of media time zero."""
        return self._reported_us or 0 if as_reported else self._envelope.floor_us


def offset_us(sound: MediumClock, pictures: MediumClock) -> int:
    """Return what to add to the media time of sound, to have it on the pictures' timeline."""
    as_reported = sound.is_reported and pictures.is_reported
    return sound.zero_us(as_reported=as_reported) - pictures.zero_us(as_reported=as_reported)
