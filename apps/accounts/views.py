"""Logging in and out."""

import logging

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView as DjangoLoginView
from django.db import transaction
from django.http import HttpResponse

from apps.accounts.actors import actor_of_user
from apps.accounts.device_cookie import remember_device
from apps.accounts.forms import LoginForm
from apps.accounts.identification import address_of
from apps.core import audit

logger = logging.getLogger(__name__)


class LoginView(DjangoLoginView):
    """The page at `/accounts/login/`; wrong tries are 422, too many 429."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        with transaction.atomic():
            response = super().form_valid(form)
            audit.record(actor_of_user(user, address=address_of(self.request)).ref(), "user.logged_in")
        remember_device(response, user.get_username())
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        logger.warning("login refused from %s", address_of(self.request))
        response = self.render_to_response(self.get_context_data(form=form))
        retry_after_s = form.retry_after_s if isinstance(form, LoginForm) else 0
        response.status_code = 429 if retry_after_s else 422
        if retry_after_s:
            response["Retry-After"] = str(retry_after_s)
        return response
