"""Retention remembers when it looked at an hour, and recordings that let go of footage note its hours.

The foreign keys' own indexes go: each has one that begins with the same column.
"""

import django.db.models.deletion
from django.db import migrations, models

_NOTE = """
CREATE FUNCTION recordings_note_released_hours() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recordings_changed_hour (kind, stream_id, hour)
    SELECT 'stored', OLD.stream_id, hour FROM generate_series(
        date_trunc('hour', LEAST(OLD.start, OLD.wanted_start) - interval '10 minutes', 'UTC'),
        CASE OLD.state WHEN 'active' THEN GREATEST(OLD."end", now()) ELSE OLD."end" END,
        interval '1 hour'
    ) AS hour;
    RETURN NULL;
END $$;
CREATE TRIGGER note_released_hours AFTER UPDATE ON recordings_recording FOR EACH ROW
WHEN (
    OLD.is_held AND NOT NEW.is_held OR OLD.state = 'active' AND NEW.state <> 'active'
    OR NEW.start > OLD.start OR NEW."end" < OLD."end" OR NEW.labels = '["motion"]' AND OLD.labels <> NEW.labels
) EXECUTE FUNCTION recordings_note_released_hours();
CREATE TRIGGER note_deleted_hours AFTER DELETE ON recordings_recording FOR EACH ROW
EXECUTE FUNCTION recordings_note_released_hours();
"""
_FORGET = """
DROP TRIGGER note_released_hours ON recordings_recording;
DROP TRIGGER note_deleted_hours ON recordings_recording;
DROP FUNCTION recordings_note_released_hours();
"""


def _plain_key(name: str, to: str) -> migrations.AlterField:
    field = models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="recordings", to=to
    )
    return migrations.AlterField(model_name="recording", name=name, field=field)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("cameras", "0001_initial"),
        ("core", "0001_initial"),
        ("recordings", "0007_hour_sums"),
        ("streams", "0001_initial"),
    ]
    operations = [
        migrations.AddField("storedhour", "looked_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "storedhour", "looked_for", models.CharField(blank=True, db_default="", max_length=64)
        ),
        _plain_key("account", "accounts.account"),
        _plain_key("camera", "cameras.camera"),
        _plain_key("stream", "streams.stream"),
        migrations.RunSQL(_NOTE, _FORGET),
    ]
