"""Where a recording plays."""

from urllib.parse import urlencode

from django.urls import reverse

from apps.recordings.models import Recording, RecordingState


def video_address(recording: Recording) -> str | None:
    """Return where it plays; a growing one is cut at its present end, so that the bytes stay the same."""
    if recording.end <= recording.start:
        return None
    address = reverse("media-recording", args=[recording.pk])
    if recording.state != RecordingState.ACTIVE:
        return address
    return f"{address}?{urlencode({'end': f'{recording.end:%Y-%m-%dT%H:%M:%S.%f}Z'})}"
