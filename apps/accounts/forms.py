"""The login form: Django's, with tries counted before they are evaluated."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.device_cookie import device_for
from apps.accounts.identification import address_of
from apps.accounts.passwords import check_password
from apps.core.exceptions import ThrottledError


class LoginForm(AuthenticationForm):
    """Refuses wrong names and wrong passwords in the same words."""

    error_messages = {
        "invalid_login": _("This name and password do not belong together."),
        "inactive": _("This name and password do not belong together."),
    }
    retry_after_s = 0

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not name or not password or self.request is None:
            return self.cleaned_data
        try:
            user = check_password(
                name=name,
                password=password,
                address=address_of(self.request),
                now=timezone.now(),
                device=device_for(self.request, name),
                request=self.request,
            )
        except ThrottledError as exc:
            self.retry_after_s = exc.retry_after_s
            raise ValidationError(_("Too many tries; wait a moment."), code="throttled") from exc
        if user is None:
            raise self.get_invalid_login_error()
        self.user_cache = user
        return self.cleaned_data
