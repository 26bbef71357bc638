"""Let the database delete a clip with its recording: apps below dialects delete recordings and know no clips."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("dialects", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE dialects_spectrax_clip ADD CONSTRAINT spectrax_clip_of_recording"
            " FOREIGN KEY (recording_id) REFERENCES recordings_recording (id) ON DELETE CASCADE",
            reverse_sql="ALTER TABLE dialects_spectrax_clip DROP CONSTRAINT spectrax_clip_of_recording",
        )
    ]
