"""Sums by the hour, and the triggers that note which hours change.

What is there already is noted as changed, and summed by the periodic job.
"""

from django.db import migrations, models

_NOTE_STORED = """
CREATE FUNCTION recordings_note_stored_hour() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO recordings_changed_hour (kind, stream_id, hour)
        VALUES ('stored', OLD.stream_id, date_trunc('hour', OLD.start, 'UTC'));
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND (
        NEW.stream_id <> OLD.stream_id
        OR date_trunc('hour', NEW.start, 'UTC') <> date_trunc('hour', OLD.start, 'UTC')
    ) THEN
        INSERT INTO recordings_changed_hour (kind, stream_id, hour)
        VALUES ('stored', NEW.stream_id, date_trunc('hour', NEW.start, 'UTC'));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_stored_hour_added AFTER INSERT ON streams_segment FOR EACH ROW
WHEN (NEW.state IN ('closed', 'recovered')) EXECUTE FUNCTION recordings_note_stored_hour();
CREATE TRIGGER note_stored_hour_changed AFTER UPDATE ON streams_segment FOR EACH ROW
WHEN (
    (OLD.state IN ('closed', 'recovered') OR NEW.state IN ('closed', 'recovered'))
    AND (OLD.state, OLD.stream_id, OLD.volume_id, OLD.start, OLD."end", OLD.durable_bytes)
        IS DISTINCT FROM (NEW.state, NEW.stream_id, NEW.volume_id, NEW.start, NEW."end", NEW.durable_bytes)
) EXECUTE FUNCTION recordings_note_stored_hour();
CREATE TRIGGER note_stored_hour_gone AFTER DELETE ON streams_segment FOR EACH ROW
WHEN (OLD.state IN ('closed', 'recovered')) EXECUTE FUNCTION recordings_note_stored_hour();
INSERT INTO recordings_changed_hour (kind, stream_id, hour)
SELECT DISTINCT 'stored', stream_id, date_trunc('hour', start, 'UTC') FROM streams_segment;
"""
_NOTE_SEEN = """
CREATE FUNCTION recordings_note_seen_hour() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO recordings_changed_hour (kind, stream_id, hour)
        VALUES ('seen', OLD.stream_id, date_trunc('hour', OLD.minute, 'UTC'));
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND (
        NEW.stream_id <> OLD.stream_id
        OR date_trunc('hour', NEW.minute, 'UTC') <> date_trunc('hour', OLD.minute, 'UTC')
    ) THEN
        INSERT INTO recordings_changed_hour (kind, stream_id, hour)
        VALUES ('seen', NEW.stream_id, date_trunc('hour', NEW.minute, 'UTC'));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_seen_hour_added AFTER INSERT ON inference_minute_summary FOR EACH ROW
WHEN (NEW.labels <> '{}') EXECUTE FUNCTION recordings_note_seen_hour();
CREATE TRIGGER note_seen_hour_changed AFTER UPDATE ON inference_minute_summary FOR EACH ROW
WHEN ((OLD.stream_id, OLD.minute, OLD.labels) IS DISTINCT FROM (NEW.stream_id, NEW.minute, NEW.labels))
EXECUTE FUNCTION recordings_note_seen_hour();
CREATE TRIGGER note_seen_hour_gone AFTER DELETE ON inference_minute_summary FOR EACH ROW
WHEN (OLD.labels <> '{}') EXECUTE FUNCTION recordings_note_seen_hour();
INSERT INTO recordings_changed_hour (kind, stream_id, hour)
SELECT DISTINCT 'seen', stream_id, date_trunc('hour', minute, 'UTC') FROM inference_minute_summary
WHERE labels <> '{}';
"""
_FORGET = """
DROP TRIGGER note_stored_hour_added ON streams_segment;
DROP TRIGGER note_stored_hour_changed ON streams_segment;
DROP TRIGGER note_stored_hour_gone ON streams_segment;
DROP TRIGGER note_seen_hour_added ON inference_minute_summary;
DROP TRIGGER note_seen_hour_changed ON inference_minute_summary;
DROP TRIGGER note_seen_hour_gone ON inference_minute_summary;
DROP FUNCTION recordings_note_stored_hour();
DROP FUNCTION recordings_note_seen_hour();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0006_search_labels"),
        ("recordings", "0006_timelapse"),
        ("streams", "0007_segment_damage_and_clock"),
    ]
    operations = [
        migrations.CreateModel(
            name="ChangedHour",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("stored", "Stored"), ("seen", "Seen")], max_length=8)),
                ("stream_id", models.UUIDField()),
                ("hour", models.DateTimeField()),
            ],
            options={
                "db_table": "recordings_changed_hour",
                "indexes": [models.Index(fields=["hour"], name="changed_hour_oldest")],
            },
        ),
        migrations.CreateModel(
            name="SeenHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream_id", models.UUIDField()),
                ("hour", models.DateTimeField()),
                ("label", models.TextField()),
                ("sightings", models.BigIntegerField()),
                ("minutes", models.PositiveIntegerField()),
            ],
            options={
                "db_table": "recordings_seen_hour",
                "constraints": [
                    models.UniqueConstraint(fields=("stream_id", "hour", "label"), name="seen_hour_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="StoredHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream_id", models.UUIDField()),
                ("hour", models.DateTimeField()),
                ("volume_id", models.UUIDField()),
                ("segments", models.PositiveIntegerField()),
                ("stored_bytes", models.BigIntegerField()),
                ("recorded", models.DurationField()),
            ],
            options={
                "db_table": "recordings_stored_hour",
                "constraints": [
                    models.UniqueConstraint(fields=("stream_id", "hour", "volume_id"), name="stored_hour_once")
                ],
            },
        ),
        migrations.RunSQL(_NOTE_STORED, _FORGET),
        migrations.RunSQL(_NOTE_SEEN, migrations.RunSQL.noop),
    ]
