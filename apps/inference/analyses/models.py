"""Analyses: which analytics ran over which range of which stream, and what came of it."""

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core.models import Task, UuidModel
from apps.streams.models import Stream


class AnalysisMode(models.TextChoices):
    STORE = "store"  # what is found becomes tracks, events and minutes
    BACKTEST = "backtest"  # nothing is kept but the result


class Analysis(UuidModel):
    """Analytics over `[start, end)` of a stream. Its key is also its task's, and the `analysis_id` of finds.

    `specs` are the analytics as the engine takes them, frozen when it was begun. `fingerprint` tells analyses
    apart: a later one of the same stream, range and specs replaces the earlier one. `checkpoint` is up to
    where everything found is stored; `speed` is in seconds of footage a second.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="+")
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    mode = models.CharField(max_length=16, choices=AnalysisMode.choices, default=AnalysisMode.STORE)
    start = models.DateTimeField()
    end = models.DateTimeField()
    specs = models.JSONField(default=list)
    names = models.JSONField(default=dict, blank=True)  # of its analytics and rules, by id
    fingerprint = models.CharField(max_length=64)
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    checkpoint = models.JSONField(default=dict, blank=True)
    speed = models.FloatField(default=0.0)
    footage_s = models.FloatField(default=0.0)
    result = models.JSONField(default=dict, blank=True)
    created_by = models.UUIDField(null=True, blank=True)

    class Meta:
        db_table = "inference_analysis"
        verbose_name_plural = "analyses"
        indexes = [
            models.Index(fields=["account", "-created_at"], name="analysis_newest"),  # lists
            models.Index(fields=["stream", "fingerprint"], name="analysis_repeated"),  # what one replaces
        ]
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="analysis_not_empty")]

    def __str__(self) -> str:
        return self.name or f"Analysis of {self.start:%Y-%m-%d %H:%M}"
