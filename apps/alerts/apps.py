from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from apps.core.worker_steps import Component


class AlertsConfig(AppConfig):
    name = "apps.alerts"
    label = "alerts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.alerts import cleaning, messages, notices, outlets, queueing
        from apps.alerts.http_outlet import HttpOutlet
        from apps.alerts.models import TargetKind
        from apps.core import outbox, periodic, worker_steps
        from apps.inference import track_port

        messages.register_format(messages.DEFAULT, messages.write_omma)
        outlets.register(TargetKind.HTTP, HttpOutlet())
        track_port.register_wanted(notices.wants_tracks)
        outbox.subscribe_batches("alerts.queue", notices.KINDS, queueing.take)
        outbox.subscribe_batches("alerts.owners", cleaning.OWNER_NEWS, cleaning.forget_owners)
        worker_steps.register("default", "alerts", lambda _worker: _sender())
        periodic.register("deliveries", "Clean up deliveries", "apps.alerts.cleaning.clean_up", "25 * * * *")


def _sender() -> "Component":
    from apps.alerts.sender import Sender  # only the workers that send load it

    return Sender()
