"""Cameras for operators. A login is written here and never shown; all writes go through the services."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.access import actor_of
from apps.cameras.addresses import read_camera_address
from apps.cameras.logins import login_of, whole_address
from apps.cameras.models import Camera, CameraGroup, Driver, Sensor
from apps.cameras.options import check_options
from apps.cameras.services import add_camera, delete_camera, update_camera
from apps.core.exceptions import OmmaError
from omma_engine.redaction import redact


class CameraForm(forms.ModelForm[Camera]):
    """A camera with its login, which is write-only."""

    username = forms.CharField(
        required=False, max_length=200, help_text="Empty keeps the one that is stored."
    )
    password = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted and never shown. Empty keeps the one that is stored.",
    )
    options = forms.JSONField(required=False, initial=dict)

    class Meta:
        model = Camera
        fields = ["account", "name", "address", "driver", "options", "is_enabled", "is_on_wall"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["driver"].required = False
        self._shown_address = redact(self.instance.address)
        if self.instance.address:
            self.initial["address"] = self._shown_address

    def clean(self) -> dict[str, Any]:
        """Let the services' own checks speak, at the field that they name."""
        data = super().clean() or {}
        if self.errors:
            return data
        address = data["address"]
        if "address" not in self.changed_data:
            data["address"] = self.instance.address
            address = whole_address(self.instance.address, self.instance.secret)
        try:
            read = read_camera_address(
                address,
                driver=data.get("driver") or None,
                trusted_origin=self.instance.trusted_origin if "address" not in self.changed_data else "",
            )
            check_options(Driver(read.driver), data.get("options") or {})
        except OmmaError as error:
            self.add_error(error.field if error.field in self.fields else None, error.message)
        return data


@admin.register(Camera)
class CameraAdmin(admin.ModelAdmin[Camera]):
    form = CameraForm
    list_display = [
        "number",
        "name",
        "account",
        "driver",
        "is_enabled",
        "is_on_wall",
        "has_login",
        "created_at",
    ]
    list_display_links = ["name"]
    list_filter = ["account", "driver", "is_enabled"]
    list_select_related = ["account"]
    search_fields = ["name", "address", "identity"]
    actions = ["enable", "disable"]

    @admin.display(boolean=True, description="login")
    def has_login(self, camera: Camera) -> bool:
        return bool(camera.secret)

    def get_readonly_fields(self, request: HttpRequest, obj: Camera | None = None) -> list[str]:
        return ["account", "number", "identity", "trusted_origin"] if obj else []

    def save_model(self, request: HttpRequest, obj: Camera, form: Any, change: bool) -> None:
        data = form.cleaned_data
        login = {name: data[name] for name in ("username", "password") if data.get(name)}
        if not change:
            row = add_camera(
                actor=actor_of(request),
                account=data["account"],
                name=data["name"],
                address=data["address"],
                driver=data.get("driver") or None,
                options=data.get("options") or {},
                is_on_wall=data["is_on_wall"],
                **login,
            )
            obj.pk, obj.number = row.pk, row.number
            obj._state.adding = False
            return
        changes = {name: data[name] for name in form.changed_data if name in data and name not in login}
        changes = {name: value for name, value in changes.items() if name not in {"username", "password"}}
        if login and "username" not in login:
            login["username"] = login_of(obj)[0]
        update_camera(
            actor=actor_of(request), camera=Camera.objects.get(pk=obj.pk), changes={**changes, **login}
        )

    def delete_model(self, request: HttpRequest, obj: Camera) -> None:
        delete_camera(actor=actor_of(request), camera=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Camera]) -> None:
        for camera in queryset:
            delete_camera(actor=actor_of(request), camera=camera)

    @admin.action(description="Enable")
    def enable(self, request: HttpRequest, queryset: QuerySet[Camera]) -> None:
        self._switch(request, queryset, is_enabled=True)

    @admin.action(description="Disable (live view, recording and analytics stop)")
    def disable(self, request: HttpRequest, queryset: QuerySet[Camera]) -> None:
        self._switch(request, queryset, is_enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Camera], *, is_enabled: bool) -> None:
        for camera in queryset:
            update_camera(actor=actor_of(request), camera=camera, changes={"is_enabled": is_enabled})
        self.message_user(request, f"{len(queryset)} changed.", messages.SUCCESS)


@admin.register(CameraGroup)
class CameraGroupAdmin(admin.ModelAdmin[CameraGroup]):
    list_display = ["name", "account", "created_at"]
    list_filter = ["account"]
    search_fields = ["name"]
    filter_horizontal = ["cameras"]


@admin.register(Sensor)
class SensorAdmin(admin.ModelAdmin[Sensor]):
    list_display = ["name", "camera", "kind"]
    list_filter = ["kind"]
    search_fields = ["name", "camera__name"]
    raw_id_fields = ["camera", "account"]
