"""Where notifications go, which rules name them, and each one that is on its way or was."""

from django.db import models
from django.db.models import Q

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core.models import UuidModel
from apps.rules.models import Rule


class TargetKind(models.TextChoices):
    HTTP = "http", "HTTP"


class NoticeKind(models.TextChoices):
    """What is told. `RULE` goes to the targets that the rule names, the others to those that want them."""

    RULE = "rule"
    EVENT = "event"
    TRACK = "track"
    ANALYTIC_RESULT = "analytic_result"
    STREAM_STATUS = "stream_status"
    TEST = "test"
    DIGEST = "digest"


class OwnerKind(models.TextChoices):
    """Whose callback a target is; nobody's for one that people made."""

    NOBODY = ""
    STREAM = "stream"
    ANALYTIC = "analytic"


class Target(UuidModel):
    """A place that notifications go to. `place` is the part of its address that may be shown.

    `secret` seals the whole address, the login, the headers and the signing key. Over `per_minute` a minute,
    notifications are summed up in one every `digest_s`.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="targets")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=TargetKind.choices, default=TargetKind.HTTP)
    is_enabled = models.BooleanField(default=True)
    place = models.CharField(max_length=300)
    options = models.JSONField(default=dict, blank=True)
    secret = models.BinaryField(editable=False)
    format = models.CharField(max_length=32, default="omma")
    all_cameras = models.BooleanField(default=False)
    cameras = models.ManyToManyField(Camera, related_name="+", blank=True)
    wants = models.JSONField(default=list, blank=True)
    owner_kind = models.CharField(
        max_length=16, choices=OwnerKind.choices, default=OwnerKind.NOBODY, blank=True
    )
    owner_id = models.UUIDField(null=True, blank=True)
    per_minute = models.PositiveIntegerField(default=60)
    digest_s = models.PositiveIntegerField(default=60)
    late_s = models.PositiveIntegerField(default=60)

    class Meta:
        db_table = "alerts_target"
        constraints = [
            models.CheckConstraint(
                condition=Q(owner_kind="", owner_id=None) | (~Q(owner_kind="") & Q(owner_id__isnull=False)),
                name="target_owner_whole",
            ),
            models.CheckConstraint(condition=Q(per_minute__gte=1), name="target_per_minute"),
            models.CheckConstraint(condition=Q(digest_s__gte=1), name="target_digest"),
        ]
        indexes = [
            models.Index(fields=["owner_id"], condition=~Q(owner_kind=""), name="target_of_owner"),
        ]

    def __str__(self) -> str:
        return self.name


class TargetState(models.Model):
    """How sending to a target goes: apart from the row that people edit, because it changes all the time.

    Whoever holds `claim` until `claimed_until` sends, and nobody else. `next_at` is when there is something
    to do, empty for nothing. `tokens` is how many notifications may still go one by one, as of `tokens_at`.
    News up to (`upto_xid`, `upto_id`) have been taken: a repeat adds nothing.
    """

    target = models.OneToOneField(Target, primary_key=True, on_delete=models.CASCADE, related_name="state")
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    pending = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)  # in a row
    tokens = models.FloatField(default=0.0)
    tokens_at = models.DateTimeField(null=True, blank=True)
    upto_xid = models.BigIntegerField(default=0)
    upto_id = models.BigIntegerField(default=0)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_failed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "alerts_target_state"
        indexes = [
            models.Index(  # who sends next
                fields=["next_at"], condition=Q(next_at__isnull=False), name="target_state_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pending} waiting, {self.failures} failures"


class RuleTarget(models.Model):
    """A rule tells a target when it fires."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="+")
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="rules")

    class Meta:
        db_table = "alerts_rule_target"
        constraints = [models.UniqueConstraint(fields=["rule", "target"], name="rule_target_once")]

    def __str__(self) -> str:
        return f"{self.rule} → {self.target}"


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Delivery(models.Model):
    """One notification to one target. Delivered ones are kept 7 days, dead ones 90.

    The id follows from the target and the piece of news, and stays the same however often it is sent. They
    go in the order of (`xid`, `outbox_id`). A digest takes in what comes until `closes_at`.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    account_id = models.UUIDField()
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    kind = models.CharField(max_length=16, choices=NoticeKind.choices)
    xid = models.BigIntegerField()
    outbox_id = models.BigIntegerField()
    camera_id = models.UUIDField(null=True, blank=True)
    subject_kind = models.CharField(max_length=32, blank=True)
    subject_id = models.UUIDField(null=True, blank=True)
    occurred_at = models.DateTimeField()
    payload = models.JSONField(default=dict)
    count = models.PositiveBigIntegerField(default=1)
    closes_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
    is_late = models.BooleanField(default=False)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    attempted_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "alerts_delivery"
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["target", "outbox_id"], name="delivery_once"),
        ]
        indexes = [
            models.Index(  # the next one of a target
                fields=["target", "xid", "outbox_id"], condition=Q(state="pending"), name="delivery_next"
            ),
            models.Index(fields=["account_id", "-created_at"], name="delivery_newest"),  # lists
            models.Index(fields=["state", "created_at"], name="delivery_age"),  # the clean-up
            models.Index(fields=["expires_at"], condition=Q(state="pending"), name="delivery_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
