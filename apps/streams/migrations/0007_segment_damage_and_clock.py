from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streams", "0006_timeline_index_with_ids"),
    ]

    operations = [
        migrations.AddField(
            model_name="segment",
            name="camera_offset_us",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="segment",
            name="damaged_pictures",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
