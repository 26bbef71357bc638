"""Sockets of the dialects, below `/compat/` and, where a setting names the dialect, at the root."""

from django.conf import settings
from django.urls import path

from apps.dialects.luna.socket import LunaConsumer

websocket_urlpatterns = [path("compat/luna/<str:key>/2/ws", LunaConsumer.as_asgi())]
if "luna" in settings.OMMA_ROOT_DIALECTS:
    websocket_urlpatterns.append(path("2/ws", LunaConsumer.as_asgi()))
