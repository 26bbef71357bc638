"""Rules and their firings over HTTP."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import AccessModelViewSet, AccessReadOnlyViewSet, chosen_account
from apps.accounts.models import Account
from apps.accounts.selectors import account_for_writing
from apps.cameras.models import Camera
from apps.core.exceptions import InvalidInputError, NotVisibleError
from apps.inference.analyses.models import Analysis
from apps.rules import backtest, services
from apps.rules.api.backtests import BacktestSerializer, BacktestWriteSerializer
from apps.rules.api.filters import RuleFilter, RuleFiringFilter
from apps.rules.api.serializers import RuleFiringReadSerializer, RuleReadSerializer, RuleWriteSerializer
from apps.rules.models import Rule, RuleFiring
from apps.streams.models import Stream


class RuleViewSet(AccessModelViewSet[Rule]):
    """What starts recordings and raises events."""

    queryset = Rule.objects.prefetch_related("cameras")
    write_action = Action.EDIT_RULES
    camera_path = "cameras"
    read_serializer_class = RuleReadSerializer
    write_serializer_class = RuleWriteSerializer
    filterset_class = RuleFilter
    ordering_fields = ("name", "created_at")
    ordering = ("name",)

    def create_row(self, data: Mapping[str, Any]) -> Rule:
        values = dict(data)
        values.pop("account", None)
        cameras = self._cameras(values.pop("cameras", ()))
        account = self._account(data, cameras)
        return services.create_rule(actor=self.actor, account=account, cameras=cameras, **values)

    def update_row(self, row: Rule, data: Mapping[str, Any]) -> Rule:
        values = {name: value for name, value in data.items() if name != "account"}
        if "cameras" in values:
            values["cameras"] = self._cameras(values["cameras"])
        return services.update_rule(actor=self.actor, rule=row, **values)

    def delete_row(self, row: Rule) -> None:
        services.delete_rule(actor=self.actor, rule=row)

    @extend_schema(
        request=BacktestWriteSerializer, responses={200: BacktestSerializer, 202: BacktestSerializer}
    )
    @action(detail=True, methods=["post"])
    def backtest(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say what the rule would have done: of stored tracks at once, of footage by an analysis."""
        rule = self.get_for(self.write_action)
        body = BacktestWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        stream = visible(self.actor, Action.PLAYBACK, Stream.objects.all()).filter(pk=data["stream"]).first()
        if stream is None:
            raise InvalidInputError("There is no such stream.", field="stream")
        asked = {
            "actor": self.actor,
            "rule": rule,
            "stream": stream,
            "start": data["start"],
            "end": data["end"],
        }
        if data["over"] == "tracks":
            firings = backtest.try_on_tracks(**asked)
            return Response(BacktestSerializer({"analysis": None, "firings": firings}).data)
        analysis = backtest.begin_on_footage(**asked)
        return Response(BacktestSerializer({"analysis": analysis.pk, "firings": None}).data, status=202)

    @extend_schema(responses=BacktestSerializer)
    @action(detail=True, url_path="backtest/(?P<analysis>[0-9a-f-]{36})")
    def backtest_result(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return what the rule would have done, once the analysis is done."""
        rule = self.get_object()
        rows = visible(self.actor, Action.PLAYBACK, Analysis.objects.select_related("stream"))
        analysis = rows.filter(pk=_uuid(kwargs["analysis"]), account_id=rule.account_id).first()
        if analysis is None:
            raise NotVisibleError
        firings = backtest.firings_of(rule, analysis)
        return Response(BacktestSerializer({"analysis": analysis.pk, "firings": firings}).data)

    def _account(self, data: Mapping[str, Any], cameras: list[Camera]) -> Account:
        """Return the account named, else that of the cameras: they are all the same one's, or refused."""
        if cameras and chosen_account(data) is None:
            return cameras[0].account
        return account_for_writing(self.actor, Action.EDIT_RULES, chosen_account(data))

    def _cameras(self, camera_ids: Iterable[UUID]) -> list[Camera]:
        wanted = set(camera_ids)
        rows = visible(self.actor, Action.VIEW, Camera.objects.select_related("account"), camera_path="id")
        found = list(rows.filter(pk__in=wanted))
        if len(found) != len(wanted):
            raise InvalidInputError("There is no such camera.", field="cameras")
        return found


class RuleFiringViewSet(AccessReadOnlyViewSet[RuleFiring]):
    """Each time a rule fired, and what came of it."""

    queryset = RuleFiring.objects.select_related("rule")
    read_serializer_class = RuleFiringReadSerializer
    filterset_class = RuleFiringFilter
    ordering_fields = ("at",)
    ordering = ("-at",)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotVisibleError from None
