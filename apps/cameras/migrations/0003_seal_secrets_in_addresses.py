from typing import Any

from django.db import migrations

from apps.cameras.logins import open_login, seal_login
from omma_engine.redaction import hide_parameters


def seal(apps: Any, schema_editor: Any) -> None:
    """Take the passwords out of the addresses of cameras that were added before."""
    for camera in apps.get_model("cameras", "Camera").objects.filter(address__contains="://").iterator():
        address, hidden = hide_parameters(camera.address)
        if hidden and not all(value == "***" for value in hidden):
            camera.address, camera.secret = address, seal_login(*open_login(camera.secret), hidden)
            camera.save(update_fields=["address", "secret"])


class Migration(migrations.Migration):
    dependencies = [("cameras", "0002_longer_names")]
    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
