"""The ASGI application: pages and API through Django, sockets through the apps' routing modules."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omma.settings.dev")

from django.core.asgi import get_asgi_application

_django = get_asgi_application()  # before anything that needs the apps

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

from omma.discovery import app_modules
from omma.forwarding import TrustedProxies
from omma.origins import SameOrigin, refuse

socket_routes = [route for module in app_modules("routing") for route in module.websocket_urlpatterns]

any_other = re_path(r"", refuse)  # type: ignore[arg-type]  # channels routes to ASGI applications, not to views

application = TrustedProxies(
    ProtocolTypeRouter(
        {
            "http": _django,
            "websocket": SameOrigin(AuthMiddlewareStack(URLRouter([*socket_routes, any_other]))),
        }
    ),
    settings.OMMA_TRUSTED_PROXIES,
)
