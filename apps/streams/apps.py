from django.apps import AppConfig


class StreamsConfig(AppConfig):
    name = "apps.streams"
    label = "streams"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.api.representing import loader_for
        from apps.cameras import provisioning
        from apps.core import periodic, representations, worker_steps
        from apps.streams.capture import capture_supervisor
        from apps.streams.life_watch import life_loop
        from apps.streams.models import Source, Stream
        from apps.streams.removing import plan_removal
        from apps.streams.services import provision_camera
        from apps.streams.silence_watch import silence_loop
        from apps.streams.storage.forgotten import look_after_volumes
        from apps.streams.volume_states import VolumeWatch

        provisioning.register(10, provision_camera)
        provisioning.register_removal(10, plan_removal)
        serializers = "apps.streams.api.serializers"
        streams = Stream.objects.select_related("source")
        representations.register("stream", loader_for(streams.all, f"{serializers}.StreamReadSerializer"))
        sources = loader_for(Source.objects.all, f"{serializers}.SourceReadSerializer")
        representations.register("source", sources)
        worker_steps.register_supervisor("capture", "capture", capture_supervisor)
        worker_steps.register(
            "capture", "volume-watch", lambda _worker: VolumeWatch(check=look_after_volumes)
        )
        worker_steps.register("default", "silence", lambda _worker: silence_loop())
        worker_steps.register("default", "stream-life", lambda _worker: life_loop())
        periodic.register("streams.volumes", "Look at the volumes", "apps.streams.tasks.check_volumes", "30")
        periodic.register(
            "streams.scrub", "Read stored bytes again", "apps.streams.tasks.scrub", "600", "retention"
        )
        periodic.register(
            "streams.fetched", "Throw away what was fetched", "apps.streams.tasks.clean_fetched", "600"
        )
        periodic.register("streams.log", "Trim the stream log", "apps.streams.tasks.trim_log", "20 3 * * *")
