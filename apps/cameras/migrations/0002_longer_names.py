from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cameras", "0001_initial")]
    operations = [
        migrations.AlterField(model_name="camera", name="name", field=models.CharField(max_length=128)),
    ]
