"""What the core throws away in time: old news, runs, sessions and audit entries."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from apps.core import outbox, periodic
from apps.core.models import AuditEntry, Task, TaskState

AUDIT_KEPT = timedelta(days=365)
TASKS_KEPT = timedelta(days=30)


def clean_up() -> str:
    """Delete what is past its keeping time: the periodic job."""
    now = timezone.now()
    over = [TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED]
    counts = {
        "news": outbox.forget_old(now),
        "runs": periodic.forget_old_runs(now),
        "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
        "audit entries": AuditEntry.objects.filter(at__lt=now - AUDIT_KEPT).delete()[0],
        "jobs": Task.objects.filter(state__in=over, finished_at__lt=now - TASKS_KEPT).delete()[0],
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items())
