"""The few tables that everything shares: news, jobs, periodic jobs, nodes, leases and the audit trail."""

from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Cast

from omma_engine.ids import uuid7


class UuidModel(models.Model):
    """A row with a UUIDv7 key made by whoever creates it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Outbox(models.Model):
    """News that must not be lost, written in the transaction that makes it. Kept 24 hours.

    Readers take rows below `pg_snapshot_xmin(pg_current_snapshot())` in the order of (xid, id): serial ids
    become visible out of commit order. `xid` is `pg_current_xact_id()`, filled by a database default.
    """

    id = models.BigAutoField(primary_key=True)
    xid = models.BigIntegerField(
        editable=False,
        db_default=Cast(
            Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()
        ),
    )
    kind = models.CharField(max_length=64)
    account_id = models.UUIDField(null=True, blank=True)
    camera_ids = models.JSONField(default=list, blank=True)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField(null=True, blank=True)
    payload = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "core_outbox"
        verbose_name_plural = "outbox"
        indexes = [
            models.Index(fields=["xid", "id"], name="outbox_cursor"),  # readers page by (xid, id)
            models.Index(fields=["created_at"], name="outbox_age"),  # the clean-up deletes by age
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id or ''}".strip()


class OutboxPosition(models.Model):
    """How far one subscriber has read."""

    subscriber = models.CharField(max_length=100, primary_key=True)
    xid = models.BigIntegerField(default=0)
    outbox_id = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "core_outbox_position"

    def __str__(self) -> str:
        return self.subscriber


class TaskState(models.TextChoices):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Task(UuidModel):
    """A long job with progress. The row is the truth, the queue a nudge; `unique_key` ends repeats."""

    kind = models.CharField(max_length=64)
    unique_key = models.CharField(max_length=200, unique=True)
    account_id = models.UUIDField(null=True, blank=True)
    camera_id = models.UUIDField(null=True, blank=True)
    created_by = models.UUIDField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=TaskState.choices, default=TaskState.PENDING)
    progress = models.FloatField(default=0.0)
    parameters = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    enqueued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)  # its worker's last sign of life, while it runs
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "core_task"
        indexes = [
            # beat re-enqueues what has waited
            models.Index(fields=["state", "enqueued_at"], name="task_waiting"),
            models.Index(fields=["account_id", "-id"], name="task_of_account"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(progress__gte=0) & Q(progress__lte=1), name="task_progress_unit"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"


class PeriodicJob(models.Model):
    """A scheduled job, as beat reads it. `schedule` is seconds or five cron fields."""

    name = models.CharField(max_length=64, primary_key=True)
    title = models.CharField(max_length=120)
    task = models.CharField(max_length=200)
    queue = models.CharField(max_length=32, default="default")
    schedule = models.CharField(max_length=64)
    is_enabled = models.BooleanField(default=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_duration_s = models.FloatField(null=True, blank=True)
    last_result = models.CharField(max_length=16, blank=True)
    last_message = models.TextField(blank=True)

    class Meta:
        db_table = "core_periodic_job"

    def __str__(self) -> str:
        return self.name


class PeriodicRun(models.Model):
    """One run of a periodic job; unique per (job, slot), so that two beats make one effect. Kept 30 days."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(PeriodicJob, on_delete=models.CASCADE, related_name="runs")
    slot = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=16, blank=True)
    message = models.TextField(blank=True)
    is_manual = models.BooleanField(default=False)

    class Meta:
        db_table = "core_periodic_run"
        constraints = [models.UniqueConstraint(fields=["job", "slot"], name="periodic_run_once")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.slot:%Y-%m-%d %H:%M:%S}"


class Node(UuidModel):
    """A worker that can hold leases. `boot_id` tells one life of it from the next."""

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=32)
    boot_id = models.UUIDField()
    pid = models.PositiveIntegerField()
    slots = models.PositiveIntegerField(default=0)
    labels = models.JSONField(default=dict, blank=True)
    is_draining = models.BooleanField(default=False)
    seen_at = models.DateTimeField()
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "core_node"

    def __str__(self) -> str:
        return self.name


class LeaseKind(models.TextChoices):
    SOURCE = "source"
    ANALYTIC = "analytic"
    TASK = "task"


class Lease(models.Model):
    """Who runs an object, fenced by `epoch` (blocks of 2^20).

    Narrow, fillfactor 50: renewing touches nothing else. All times are on the database's clock.
    """

    object_id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=16, choices=LeaseKind.choices)
    owner = models.CharField(max_length=120, blank=True)
    owner_key = models.BigIntegerField(null=True, blank=True)
    epoch = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "core_lease"
        indexes = [models.Index(fields=["kind"], name="lease_of_kind")]  # a supervisor reads its own kind

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} → {self.owner or 'nobody'}"


class AuditEntry(models.Model):
    """Who did what to what, when and from where. Append-only; kept a year."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    account_id = models.UUIDField(null=True, blank=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32, blank=True)
    subject_id = models.UUIDField(null=True, blank=True)
    subject_name = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "core_audit_entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["account_id", "-id"], name="audit_of_account"),
            models.Index(fields=["subject_id", "-id"], name="audit_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.subject_name}".strip()
