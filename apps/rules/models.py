"""Rules, and each time one fired."""

from django.db import models
from django.db.models import Q

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core.models import UuidModel


class Rule(UuidModel):
    """When an object of these labels is seen at this confidence, in this polygon, for this long, on these
    cameras: start a recording and raise an event.

    `polygon` is normalised (`[[x, y], …]`, at least three points; none means everywhere). `condition` is what
    must hold besides, as `omma_engine.rules.conditions` writes it; none where it is empty.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=120)
    is_enabled = models.BooleanField(default=True)
    all_cameras = models.BooleanField(default=False)
    cameras = models.ManyToManyField(Camera, related_name="rules", blank=True)
    labels = models.JSONField(default=list)
    min_confidence = models.FloatField(default=0.5)
    polygon = models.JSONField(default=list, blank=True)
    min_duration_s = models.FloatField(default=0.0)
    condition = models.JSONField(default=dict, blank=True)
    cooldown_s = models.FloatField(default=0.0)
    records = models.BooleanField(default=True)
    pre_roll_s = models.PositiveSmallIntegerField(null=True, blank=True)  # empty: the stream's own
    post_roll_s = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        db_table = "rules_rule"
        constraints = [
            models.CheckConstraint(
                condition=Q(min_confidence__gte=0, min_confidence__lte=1), name="rule_confidence"
            ),
            models.CheckConstraint(condition=Q(min_duration_s__gte=0), name="rule_duration_positive"),
        ]

    def __str__(self) -> str:
        return self.name


class RuleFiring(UuidModel):
    """One time a rule fired; unique per outbox row, so that news handled twice fires once. Kept 90 days."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="firings")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="+")
    event_id = models.UUIDField(unique=True)
    recording_id = models.UUIDField(null=True, blank=True)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=32)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "rules_rule_firing"
        indexes = [models.Index(fields=["rule", "-at"], name="firing_newest")]

    def __str__(self) -> str:
        return f"{self.rule} {self.at:%Y-%m-%d %H:%M:%S}"
