"""Turn the big tables into partitioned ones: by week over the time in their UUIDv7 key.

They are new and empty here. The default partition takes what has no week of its own; the weeks are made ahead
by a periodic job. Index names stay those of the models.
"""

from django.db import migrations


TRACK = """
ALTER TABLE inference_track RENAME TO inference_track_plain;
CREATE TABLE inference_track (LIKE inference_track_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id);
DROP TABLE inference_track_plain;
ALTER TABLE inference_track ADD PRIMARY KEY (id);
CREATE INDEX track_of_camera ON inference_track (account_id, camera_id, start DESC);
CREATE INDEX track_by_label ON inference_track (account_id, label, start DESC);
CREATE INDEX track_number ON inference_track (analytic_id, number);
CREATE TABLE inference_track_default PARTITION OF inference_track DEFAULT;
"""

EVENT = """
ALTER TABLE inference_event RENAME TO inference_event_plain;
CREATE TABLE inference_event (LIKE inference_event_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id);
DROP TABLE inference_event_plain;
ALTER TABLE inference_event ADD PRIMARY KEY (id);
CREATE INDEX event_newest ON inference_event (account_id, start DESC);
CREATE INDEX event_of_camera ON inference_event (account_id, camera_id, start DESC);
CREATE TABLE inference_event_default PARTITION OF inference_event DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("inference", "0001_initial")]
    operations = [
        migrations.RunSQL(TRACK, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(EVENT, reverse_sql=migrations.RunSQL.noop),
    ]
