"""Where everything is, health, version and status."""

import platform
from dataclasses import asdict
from typing import Any

import av
import django
from django.conf import settings
from django.urls import get_resolver
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from apps.accounts.api.viewsets import ActorMixin
from apps.core.exceptions import UnavailableError
from apps.system import selectors
from apps.system.api.serializers import HealthSerializer, StatusSerializer, VersionSerializer
from apps.system.health import health_checks, is_database_up


class HealthView(APIView):
    """Whether this web process can serve: open to everybody, and says nothing else."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=HealthSerializer, operation_id="system_health_retrieve", auth=[])
    def get(self, request: Request) -> Response:
        """Answer `ok`, or 503."""
        if not is_database_up():
            raise UnavailableError("The database is away.", code="database_unavailable")
        return Response({"status": "ok"})


class VersionView(APIView):
    """Which versions run here."""

    @extend_schema(responses=VersionSerializer, operation_id="system_version_retrieve")
    def get(self, request: Request) -> Response:
        """Return the versions."""
        return Response(
            {
                "version": settings.OMMA_VERSION,
                "python": platform.python_version(),
                "django": django.get_version(),
                "ffmpeg": av.ffmpeg_version_info,
            }
        )


class StatusView(ActorMixin, APIView):
    """How Omma is."""

    @extend_schema(responses=StatusSerializer, operation_id="system_status_retrieve")
    def get(self, request: Request) -> Response:
        """Return the checks and the sources by state; administrators also get workers, storage and queues."""
        checks = health_checks()
        status = {
            "status": "ok" if all(check.is_ok for check in checks) else "degraded",
            "version": settings.OMMA_VERSION,
            "checks": [asdict(check) for check in checks],
            "sources": selectors.sources_by_state(self.actor),
            "detail": _detail() if selectors.may_see_system(self.actor) else None,
        }
        return Response(StatusSerializer(status).data)


class RootView(APIView):
    """Where everything is."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Return the address of every list, by name."""
        names = [
            name for name in get_resolver().reverse_dict if isinstance(name, str) and name.endswith("-list")
        ]
        lists = {name.removesuffix("-list"): reverse(name, request=request) for name in sorted(names)}
        return Response({**lists, "docs": reverse("docs", request=request)})


def _detail() -> dict[str, Any]:
    return {
        "nodes": [asdict(row) for row in selectors.node_rows()],
        "volumes": selectors.volume_rows(),
        "queues": selectors.waiting_by_queue(),
        "outbox": [asdict(row) for row in selectors.readings()],
        "database": asdict(selectors.database_facts()),
        "broker": selectors.redis_facts(settings.REDIS_URL),
        "bus": selectors.redis_facts(settings.BUS_URL),
    }
