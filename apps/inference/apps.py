from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from omma_engine.supervise import Supervisor


class InferenceConfig(AppConfig):
    name = "apps.inference"
    label = "inference"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.cameras import provisioning as cameras
        from apps.core import periodic, worker_steps
        from apps.inference.provisioning import ORDER, arm_camera

        cameras.register(ORDER, arm_camera, is_arming=True)
        worker_steps.register_supervisor("inference", "inference", _inference_supervisor)
        worker_steps.register_supervisor("inference", "analyses", _analysis_supervisor)
        periodic.register(
            "found-clean-up",
            "Delete old tracks, events and their pictures",
            "apps.inference.cleaning.clean_up",
            "35 3 * * *",
            queue="retention",
        )
        self._register_representations()

    def _register_representations(self) -> None:
        from apps.accounts.access import Action
        from apps.accounts.api.representing import loader_for
        from apps.core import representations
        from apps.inference.models import Analytic, Event, Track

        serializers = "apps.inference.api.serializers"
        analytics = Analytic.objects.select_related("model_version__model")
        representations.register(
            "analytic", loader_for(analytics.all, f"{serializers}.AnalyticReadSerializer")
        )
        for kind, model, serializer in (
            ("event", Event, f"{serializers}.EventReadSerializer"),
            ("track", Track, f"{serializers}.TrackReadSerializer"),
        ):
            load = loader_for(model._default_manager.all, serializer, action=Action.PLAYBACK)
            representations.register(kind, load)


# Imported where they run: OpenCV and NumPy, which come with them, weigh 15 MB in each worker.
def _inference_supervisor(worker_name: str) -> "Supervisor":
    from apps.inference.hosting import inference_supervisor

    return inference_supervisor(worker_name)


def _analysis_supervisor(worker_name: str) -> "Supervisor":
    from apps.inference.analyses.hosting import analysis_supervisor

    return analysis_supervisor(worker_name)
