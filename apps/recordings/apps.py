from django.apps import AppConfig


class RecordingsConfig(AppConfig):
    name = "apps.recordings"
    label = "recordings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.access import Action
        from apps.accounts.api.representing import loader_for
        from apps.cameras import provisioning
        from apps.core import representations, worker_steps
        from apps.recordings import strips  # noqa: F401 - registers what makes a preview strip
        from apps.recordings.archive_pictures import find_footage
        from apps.recordings.exports import tasks  # noqa: F401 - registers what runs an export
        from apps.recordings.growing_loop import growing_loop
        from apps.recordings.models import Export, Recording
        from apps.recordings.removing import refuse_held
        from apps.recordings.schedule import register_jobs
        from apps.recordings.videos import tasks as video_tasks  # noqa: F401 - registers what runs an import
        from apps.streams.live import archive

        representations.register(
            "recording",
            loader_for(
                lambda: Recording.objects.select_related("camera"),
                "apps.recordings.api.serializers.RecordingReadSerializer",
                action=Action.PLAYBACK,
            ),
        )
        archive.register(find_footage)
        provisioning.register_removal(5, refuse_held)
        worker_steps.register("default", "recordings", lambda _worker: growing_loop())
        representations.register(
            "export",
            loader_for(
                lambda: Export.objects.select_related("task"),
                "apps.recordings.api.exports.ExportReadSerializer",
                action=Action.PLAYBACK,
                camera_path="camera_ids",
            ),
        )
        register_jobs()
