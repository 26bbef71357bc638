"""Sockets of this app."""

from django.urls import path

from apps.system.events.consumer import EventsConsumer

websocket_urlpatterns = [path("ws/v1/events", EventsConsumer.as_asgi())]
