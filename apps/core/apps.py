from collections.abc import Callable
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from apps.core.worker_steps import Component


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core import periodic, worker_steps
        from apps.core.outbox_loop import outbox_loop
        from apps.core.slimming import Slimming

        worker_steps.register("default", "outbox", lambda _worker: outbox_loop())
        for queue in ("default", "recording", "retention"):
            worker_steps.register(queue, f"hearing-{queue}", _hearing_of(queue))
        for queue in ("capture", "inference", "default"):  # the others' processes share what they keep
            worker_steps.register(queue, f"slimming-{queue}", lambda _worker: Slimming())
        periodic.register(
            "partitions", "Make and drop weekly partitions", "apps.core.partitions.maintain", "15 * * * *"
        )
        periodic.register(
            "clean-up", "Throw away old news and logs", "apps.core.cleaning.clean_up", "40 * * * *"
        )


def _hearing_of(queue: str) -> Callable[[str], "Component"]:
    def make(worker_name: str) -> "Component":
        from apps.core.deafness import watch_of  # with it, a Redis client, which few processes need

        return watch_of(queue)(worker_name)

    return make
