"""Periodic jobs of streams: plain functions that return a line saying what they did."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.streams import life_log, volume_states
from apps.streams.models import StreamLog
from apps.streams.storage import scrub as scrubbing
from apps.streams.stores.bucket import clean_cache


def check_volumes() -> str:
    """Look at every volume."""
    return f"{volume_states.check_volumes()} volumes changed their state"


def scrub() -> str:
    """Read a part of what is stored, and compare it with its hashes."""
    return scrubbing.scrub()


def clean_fetched() -> str:
    """Delete copies of what is in buckets that nobody read lately."""
    return f"{clean_cache()} files deleted"


def trim_log() -> str:
    """Delete old log entries, but never a source's last one."""
    before = timezone.now() - timedelta(days=settings.OMMA_STREAM_LOG_DAYS)
    return f"{life_log.clean(StreamLog.objects.all(), before)} log entries deleted"
