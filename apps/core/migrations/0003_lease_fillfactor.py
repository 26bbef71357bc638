"""Leave half of each page of the leases free: renewing them all each second then stays on the page (HOT updates)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0002_outbox_transaction_id")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE core_lease SET (fillfactor = 50)", reverse_sql="ALTER TABLE core_lease RESET (fillfactor)"
        )
    ]
