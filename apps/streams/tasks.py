"""Periodic jobs of streams: plain functions that return a line saying what they did."""

from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from apps.streams import explaining, volume_states
from apps.streams.models import StreamLog
from apps.streams.storage import scrub as scrubbing
from apps.streams.stores.bucket import clean_cache

LOG_KEPT = timedelta(days=30)


def check_volumes() -> str:
    """Look at every volume."""
    return f"{volume_states.check_volumes()} volumes changed their state"


def scrub() -> str:
    """Read a part of what is stored, and compare it with its hashes."""
    return scrubbing.scrub()


def clean_fetched() -> str:
    """Delete copies of what is in buckets that nobody read lately."""
    return f"{clean_cache()} files deleted"


def explain_silence() -> str:
    """Open gaps for streams that nothing writes."""
    return explaining.explain_silence()


def trim_log() -> str:
    """Delete old log entries, but never a source's last one."""
    last = StreamLog.objects.order_by().values("source").annotate(last=Max("id")).values("last")
    old = StreamLog.objects.filter(at__lt=timezone.now() - LOG_KEPT).exclude(id__in=last)
    count, _ = old.delete()
    return f"{count} log entries deleted"
