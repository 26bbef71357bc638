from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0003_lease_fillfactor")]
    operations = [
        migrations.AddField(
            model_name="task", name="heard_at", field=models.DateTimeField(blank=True, null=True)
        ),
    ]
