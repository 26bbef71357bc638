"""Turn the big tables into partitioned ones: by week over the time in their UUIDv7 key.

They are new and empty here. The default partition takes what has no week of its own; the weeks are made ahead
by a periodic job. Index names stay those of the models.
"""

from django.db import migrations


SEGMENT = """
ALTER TABLE streams_segment RENAME TO streams_segment_plain;
CREATE TABLE streams_segment (LIKE streams_segment_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id);
DROP TABLE streams_segment_plain;
ALTER TABLE streams_segment ADD PRIMARY KEY (id);
CREATE INDEX segment_timeline ON streams_segment (stream_id, start);
CREATE INDEX segment_unfinished ON streams_segment (state) WHERE state IN ('open', 'garbage');
CREATE INDEX segment_oldest ON streams_segment (volume_id, start);
ALTER TABLE streams_segment ADD CONSTRAINT streams_segment_stream_id_fk FOREIGN KEY (stream_id) REFERENCES streams_stream (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE streams_segment ADD CONSTRAINT streams_segment_volume_id_fk FOREIGN KEY (volume_id) REFERENCES streams_volume (id) DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE streams_segment_default PARTITION OF streams_segment DEFAULT;
"""

GAP = """
ALTER TABLE streams_gap RENAME TO streams_gap_plain;
CREATE TABLE streams_gap (LIKE streams_gap_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id);
DROP TABLE streams_gap_plain;
ALTER TABLE streams_gap ADD PRIMARY KEY (id);
CREATE INDEX gap_timeline ON streams_gap (stream_id, start);
ALTER TABLE streams_gap ADD CONSTRAINT streams_gap_stream_id_fk FOREIGN KEY (stream_id) REFERENCES streams_stream (id) DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE streams_gap_default PARTITION OF streams_gap DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("streams", "0001_initial")]
    operations = [
        migrations.RunSQL(SEGMENT, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(GAP, reverse_sql=migrations.RunSQL.noop),
    ]
