"""Volumes for operators: every change goes through the services, which look at the disk before they agree."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat

from apps.accounts.access import actor_of
from apps.core.exceptions import OmmaError
from apps.streams import volume_services
from apps.streams.models import Transfer, Volume, VolumeTier
from apps.streams.volume_states import look_at, note


class VolumeForm(forms.ModelForm[Volume]):
    """A volume; the keys of a bucket are write-only, and its address is in the options."""

    access_key = forms.CharField(required=False, max_length=200, help_text="Of a bucket. Stored encrypted.")
    secret_key = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Of a bucket. Stored encrypted and never shown.",
    )
    options = forms.JSONField(
        required=False, initial=dict, help_text='Of a bucket: {"endpoint": "https://…", "region": "…"}'
    )

    class Meta:
        model = Volume
        fields = ["name", "root", "kind", "tier", "node_name", "max_bytes", "min_free_bytes", "options"]


@admin.register(Volume)
class VolumeAdmin(admin.ModelAdmin[Volume]):
    form = VolumeForm
    list_display = [
        "name",
        "root",
        "tier",
        "state",
        "state_detail",
        "is_default",
        "used",
        "free",
        "checked_at",
    ]
    list_filter = ["state", "tier", "kind"]
    search_fields = ["name", "root"]
    actions = ["look"]

    @admin.display(description="used")
    def used(self, volume: Volume) -> str:
        return filesizeformat(volume.used_bytes)

    @admin.display(description="free")
    def free(self, volume: Volume) -> str:
        return "" if volume.free_bytes is None else filesizeformat(volume.free_bytes)

    def get_readonly_fields(self, request: HttpRequest, obj: Volume | None = None) -> list[str]:
        return ["kind", "tier", "node_name", "state", "state_detail", "checked_at"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Volume | None = None) -> Any:
        if obj is not None:
            return [
                "name", "root", "max_bytes", "min_free_bytes", "kind", "tier", "node_name", "state",
                "state_detail", "checked_at",
            ]  # fmt: skip
        return [*VolumeForm.Meta.fields, "access_key", "secret_key"]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except OmmaError as error:
            words = f"{error.field}: {error.message}" if error.field else error.message
            self.message_user(request, words, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Volume, form: Any, change: bool) -> None:
        data = dict(form.cleaned_data)
        actor = actor_of(request)
        if change:
            changes = {name: data[name] for name in form.changed_data if name in data}
            row = Volume.objects.get(pk=obj.pk)
            volume_services.update_volume(actor=actor, volume=row, changes=changes)
            return
        if data["kind"] == "s3":
            data["tier"] = VolumeTier.ARCHIVE
        row = volume_services.add_volume(actor=actor, **data)
        obj.pk = row.pk
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: Volume) -> None:
        volume_services.remove_volume(actor=actor_of(request), volume=obj)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except OmmaError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deleting many at once: each is a decision of its own."""
        return {
            name: value for name, value in super().get_actions(request).items() if name != "delete_selected"
        }

    @admin.action(description="Look at the folder now")
    def look(self, request: HttpRequest, queryset: QuerySet[Volume]) -> None:
        for volume in queryset:
            found = look_at(volume)
            note(volume, found)
            self.message_user(request, f"{volume.name}: {found.state.label} {found.detail}".strip())


@admin.register(Transfer)
class TransferAdmin(admin.ModelAdmin[Transfer]):
    list_display = ["segment_id", "state", "source", "target", "path", "created_at"]
    list_filter = ["state", "source", "target"]
    list_select_related = ["source", "target"]
    ordering = ["created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Transfer | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Transfer | None = None) -> bool:
        return False
