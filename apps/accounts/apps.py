from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.access import Action
        from apps.accounts.api.representing import loader_for
        from apps.accounts.models import Member
        from apps.core import periodic, representations

        periodic.register(
            "login-attempts",
            "Forget old login attempts",
            "apps.accounts.throttling.forget_old_tries",
            "20 4 * * *",
        )
        members = Member.objects.select_related("user").prefetch_related("grants")
        load = loader_for(
            members.all,
            "apps.accounts.api.serializers.MemberReadSerializer",
            action=Action.MANAGE_MEMBERS,
            camera_path=None,
        )
        representations.register("member", load)
