"""Logging in and out."""

import logging

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

    def form_valid(self, form: LoginForm) -> HttpResponse:
        user = form.get_user()
        with transaction.atomic():
            response = super().form_valid(form)
            audit.record(actor_of_user(user, address=address_of(self.request)).ref(), "user.logged_in")
        remember_device(response, user.get_username())
        return response

    def form_invalid(self, form: LoginForm) -> HttpResponse:
        logger.warning("login refused from %s", address_of(self.request))
        response = self.render_to_response(self.get_context_data(form=form))
        response.status_code = 429 if form.retry_after_s else 422
        if form.retry_after_s:
            response["Retry-After"] = str(form.retry_after_s)
        return response
