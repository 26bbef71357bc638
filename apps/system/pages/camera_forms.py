"""Forms of the camera pages: adding one, changing one, and what is kept of a stream."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy

from apps.accounts.models import Account
from apps.cameras.models import Camera, Driver
from apps.streams.models import Mode, Stream
from apps.streams.services import MAX_ROLL_S
from omma_engine.redaction import redact

_NAME_LENGTH = 120
_ADDRESS_LENGTH = 1000
_LOGIN_LENGTH = 200


class LoginForm(forms.Form):
    """A name, an address and the login for it. What was typed as a password is never sent back."""

    name = forms.CharField(max_length=_NAME_LENGTH, label=gettext_lazy("Name"))
    address = forms.CharField(
        max_length=_ADDRESS_LENGTH,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("For example rtsp://camera.local/main, or http://\u2026 for MJPEG and HLS."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "inputmode": "url"}),
    )
    username = forms.CharField(
        max_length=_LOGIN_LENGTH,
        required=False,
        label=gettext_lazy("User name (optional)"),
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        max_length=_LOGIN_LENGTH,
        required=False,
        strip=False,
        label=gettext_lazy("Password (optional)"),
        help_text=gettext_lazy("Stored encrypted, and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.data.get("password"):
            self.fields["password"].help_text = gettext_lazy("Passwords are not shown: type it again.")


class CameraForm(LoginForm):
    """What is needed to add a camera."""

    account = forms.ModelChoiceField(queryset=Account.objects.none(), label=gettext_lazy("Account"))

    def __init__(self, *args: Any, accounts: list[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._only_account = accounts[0] if len(accounts) == 1 else None
        if self._only_account is not None:
            del self.fields["account"]
            return
        field = cast("forms.ModelChoiceField[Account]", self.fields["account"])  # declared above
        field.queryset = Account.objects.filter(pk__in=[account.pk for account in accounts])

    def values(self) -> dict[str, Any]:
        """Return what was entered, with the account also where there is no choice of it."""
        return {"account": self._only_account, **self.cleaned_data}


class CameraSettingsForm(LoginForm):
    """What can be changed of a camera. An empty login keeps the one that is stored."""

    is_enabled = forms.BooleanField(
        required=False,
        label=gettext_lazy("On"),
        help_text=gettext_lazy("Off: nothing is opened or recorded."),
    )
    is_on_wall = forms.BooleanField(required=False, label=gettext_lazy("On the live wall"))
    transport = forms.ChoiceField(
        choices=[("tcp", "TCP"), ("udp", "UDP")],
        required=False,
        label=gettext_lazy("Transport"),
        help_text=gettext_lazy("TCP loses nothing; UDP is what a few cameras want."),
    )
    loop = forms.BooleanField(required=False, label=gettext_lazy("Start again at the file\u2019s end"))

    def __init__(self, data: object, *, camera: Camera) -> None:
        self._camera = camera
        self._shown_address = redact(camera.address)
        initial = {
            "name": camera.name,
            "address": self._shown_address,
            "is_enabled": camera.is_enabled,
            "is_on_wall": camera.is_on_wall,
            "transport": camera.options.get("transport", "tcp"),
            "loop": camera.options.get("loop", False),
        }
        super().__init__(data, initial=initial)
        for name, driver in (("transport", Driver.RTSP), ("loop", Driver.FILE)):
            if camera.driver != driver:
                del self.fields[name]
        if not self.data.get("password"):
            self.fields["password"].help_text = gettext_lazy("Empty: the one that is stored stays.")

    def changes(self) -> dict[str, Any]:
        """Return what differs from the camera, as `update_camera` takes it."""
        values = self.cleaned_data
        changes = {
            name: values[name]
            for name in ("name", "is_enabled", "is_on_wall")
            if values[name] != getattr(self._camera, name)
        }
        if values["address"] != self._shown_address:
            changes["address"] = values["address"]
        changes.update({name: values[name] for name in ("username", "password") if values[name]})
        options = self._changed_options(values)
        return {**changes, "options": options} if options != self._camera.options else changes

    def _changed_options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        options = dict(self._camera.options)
        for name in ("transport", "loop"):
            if name in self.changed_data:
                options[name] = values[name]
        return options


class StreamForm(forms.Form):
    """What is kept of a stream."""

    mode = forms.ChoiceField(
        choices=[
            (Mode.EVENTS, gettext_lazy("On events, with some seconds before and after")),
            (Mode.CONTINUOUS, gettext_lazy("All the time")),
            (Mode.OFF, gettext_lazy("Never; live view and detection go on")),
        ],
        widget=forms.RadioSelect,
        label=gettext_lazy("Record"),
    )
    pre_roll_s = forms.IntegerField(min_value=0, max_value=MAX_ROLL_S, label=gettext_lazy("Seconds before"))
    post_roll_s = forms.IntegerField(min_value=0, max_value=MAX_ROLL_S, label=gettext_lazy("Seconds after"))

    def __init__(self, data: object, *, stream: Stream) -> None:
        self.stream = stream
        initial = {name: getattr(stream, name) for name in ("mode", "pre_roll_s", "post_roll_s")}
        super().__init__(data, initial=initial, auto_id=f"id_{stream.id.hex[-6:]}_%s")  # type: ignore[arg-type]  # see above
