"""What analyses leave: their finds stay until the analysis or its camera goes, whatever their age."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef

from apps.core.models import Lease, LeaseKind, Task
from apps.inference.analyses.models import Analysis
from apps.inference.analyses.services import UNFINISHED, drop_analysis, remove_files
from apps.inference.models import Event, Track

BACKTESTS_KEPT = timedelta(days=30)


def forget_gone(now: datetime) -> int:
    """Delete old back-tests, and what is left of analyses that went with their camera; return how many."""
    old = Analysis.objects.filter(mode="backtest", created_at__lt=now - BACKTESTS_KEPT)
    gone = list(old.exclude(task__state__in=UNFINISHED))
    for analysis in gone:
        drop_analysis(analysis)
    known = Analysis.objects.filter(pk=OuterRef("analysis_id"))
    for model in (Track, Event):
        model._default_manager.filter(~Exists(known), analysis_id__isnull=False).delete()
    Task.objects.filter(
        ~Exists(Analysis.objects.filter(pk=OuterRef("pk"))), kind="analysis", state__in=UNFINISHED
    ).delete()
    finished = Task.objects.exclude(state__in=UNFINISHED).values("pk")
    Lease.objects.filter(kind=LeaseKind.TASK, owner="", object_id__in=finished).delete()
    return len(gone) + _sweep()


def _sweep() -> int:
    """Delete the files of analyses that have no row any more."""
    data_dir = Path(settings.OMMA_DATA_DIR)
    named = {
        folder.name
        for parent in (data_dir / "analyses", data_dir / "thumbnails" / "analyses")
        for folder in parent.glob("*-*-*-*-*")
    }
    kept = {str(pk) for pk in Analysis.objects.filter(pk__in=_ids(named)).values_list("pk", flat=True)}
    for name in named - kept:
        remove_files(UUID(name))
    return len(named - kept)


def _ids(names: set[str]) -> list[UUID]:
    return [UUID(name) for name in names]
