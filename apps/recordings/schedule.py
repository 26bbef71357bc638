"""The periodic jobs of recordings: what runs how often, and on which queue."""

from apps.core import periodic

_JOBS = (
    # name, title, what runs, seconds or five cron fields, queue
    ("retention", "Delete footage past its keeping", "retention.run", "60", "retention"),
    ("hour-sums", "Sum footage and labels by the hour", "hour_sums.sum_changed", "60", "retention"),
    ("archive", "Move footage to the archive", "archiving.run", "60", "retention"),
    ("rotation", "Make room on volumes", "retention.rotate", "10", "retention"),
    ("thumbnails", "Make missing thumbnails", "thumbnails.catch_up", "300", "recording"),
    ("playback-cache", "Throw away old clips and thumbnails", "housekeeping.clean", "600", "recording"),
    (
        "videos",
        "Forget videos that nobody sends on",
        "videos.services.forget_old",
        "600",
        "recording",
    ),
    ("exports", "Delete old exports", "exports.expiry.clean", "600", "recording"),
)


def register_jobs() -> None:
    """Register them; called once, when the app is ready."""
    for name, title, task, schedule, queue in _JOBS:
        periodic.register(name, title, f"apps.recordings.{task}", schedule, queue)
