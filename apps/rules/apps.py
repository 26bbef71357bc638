from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "apps.rules"
    label = "rules"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.api.representing import loader_for
        from apps.cameras import provisioning as cameras
        from apps.core import outbox, periodic, representations
        from apps.inference import rule_port
        from apps.recordings import rolls
        from apps.rules import conditions, firing, provisioning
        from apps.rules.models import Rule

        rule_port.register_frame_rules(conditions.frame_rules_of)
        rule_port.register_rule_names(conditions.names_of)
        rolls.register(conditions.seconds_wanted)
        cameras.register(provisioning.ORDER, provisioning.cover_camera, is_arming=True)
        outbox.subscribe("rules.fire", ["rule.matched"], firing.fire)
        outbox.subscribe("rules.forget", ["recording.deleted"], firing.forget_recording)
        representations.register(
            "rule",
            loader_for(
                lambda: Rule.objects.prefetch_related("cameras"),
                "apps.rules.api.serializers.RuleReadSerializer",
                camera_path="cameras",
            ),
        )
        periodic.register(
            "firings", "Forget old firings of rules", "apps.rules.firing.forget_old_firings", "50 3 * * *"
        )
