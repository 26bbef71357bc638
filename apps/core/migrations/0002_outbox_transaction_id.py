"""Let the database fill in the transaction that an outbox row belongs to."""

from django.db import migrations, models
from django.db.models import Func
from django.db.models.functions import Cast


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [
        migrations.AlterField(
            model_name="outbox",
            name="xid",
            field=models.BigIntegerField(
                editable=False,
                db_default=Cast(
                    Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()
                ),
            ),
        ),
    ]
