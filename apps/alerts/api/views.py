"""Targets, deliveries, and which targets a rule tells, over HTTP."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import (
    READ_METHODS,
    AccessModelViewSet,
    AccessReadOnlyViewSet,
    AccessViewSet,
    chosen_account,
)
from apps.accounts.models import Account
from apps.accounts.selectors import account_for_writing
from apps.alerts import resending, rule_targets, services
from apps.alerts.api.filters import DeliveryFilter, TargetFilter
from apps.alerts.api.serializers import (
    DeliveryReadSerializer,
    NewTargetSerializer,
    ResentSerializer,
    RuleTargetsSerializer,
    SigningKeySerializer,
    TargetReadSerializer,
    TargetWriteSerializer,
)
from apps.alerts.models import Delivery, Target
from apps.cameras.models import Camera
from apps.core.api.keyset import KeysetPagination
from apps.core.exceptions import InvalidInputError
from apps.rules.models import Rule


class TargetViewSet(AccessModelViewSet[Target]):
    """Where notifications go. Who may not change rules sees none."""

    queryset = Target.objects.select_related("state").prefetch_related("cameras")
    read_action = Action.EDIT_RULES
    write_action = Action.EDIT_RULES
    camera_path = "cameras"
    read_serializer_class = TargetReadSerializer
    write_serializer_class = TargetWriteSerializer
    filterset_class = TargetFilter
    ordering_fields = ("name", "created_at")
    ordering = ("name",)

    @extend_schema(responses={201: NewTargetSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a target; the answer has its signing key, this once."""
        data = self.validated(request)
        values = self._values(data)
        cameras = values.get("cameras") or []
        account = self._account(data, cameras)
        target, key = services.create_target(actor=self.actor, account=account, **values)
        return Response({**self.read(target), "signing_key": key}, status=status.HTTP_201_CREATED)

    def update_row(self, row: Target, data: Mapping[str, Any]) -> Target:
        return services.update_target(actor=self.actor, target=row, **self._values(data))

    def delete_row(self, row: Target) -> None:
        services.delete_target(actor=self.actor, target=row)

    @extend_schema(request=None, responses=SigningKeySerializer)
    @action(detail=True, methods=["post"], url_path="rotate-key")
    def rotate_key(self, request: Request, pk: str | None = None) -> Response:
        """Make a new signing key; the answer has it, this once."""
        target = self.get_for(Action.EDIT_RULES)
        return Response({"signing_key": services.rotate_key(actor=self.actor, target=target)})

    @extend_schema(request=None, responses={202: TargetReadSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str | None = None) -> Response:
        """Send a test, after what waits."""
        target = self.get_for(Action.EDIT_RULES)
        services.test_target(actor=self.actor, target=target)
        return Response(self.read(target), status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=ResentSerializer)
    @action(detail=True, methods=["post"], url_path="resend-dead")
    def resend_dead(self, request: Request, pk: str | None = None) -> Response:
        """Send all of its dead deliveries once more."""
        target = self.get_for(Action.EDIT_RULES)
        return Response({"resent": resending.resend_all(actor=self.actor, target=target)})

    def _values(self, data: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: value for name, value in data.items() if name != "account"}
        if "cameras" in values:
            values["cameras"] = self._cameras(values["cameras"])
        if "wants" in values:
            values["wants"] = sorted(values["wants"])
        return values

    def _account(self, data: Mapping[str, Any], cameras: list[Camera]) -> Account:
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


class DeliveryViewSet(AccessReadOnlyViewSet[Delivery]):
    """Notifications: on their way, delivered, and dead."""

    queryset = Delivery.objects.all()
    read_action = Action.EDIT_RULES
    read_serializer_class = DeliveryReadSerializer
    filterset_class = DeliveryFilter
    pagination_class = KeysetPagination
    ordering_fields = ("created_at",)
    ordering = ("-created_at",)
    http_method_names = [*READ_METHODS, "post"]

    @extend_schema(request=None, responses=DeliveryReadSerializer)
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str | None = None) -> Response:
        """Send a dead one once more, under the same id."""
        delivery = self.get_for(Action.EDIT_RULES)
        return Response(self.read(resending.resend(actor=self.actor, delivery=delivery)))


class RuleTargetsView(AccessViewSet[Rule]):
    """Which targets a rule tells when it fires."""

    queryset = Rule.objects.prefetch_related("cameras")
    read_action = Action.VIEW
    write_action = Action.EDIT_RULES
    camera_path = "cameras"
    read_serializer_class = RuleTargetsSerializer
    filter_backends = []
    pagination_class = None
    http_method_names = [*READ_METHODS, "put"]

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """Return the targets, as far as one may see them."""
        return self._answer(self.get_for(Action.VIEW))

    def update(self, request: Request, pk: UUID) -> Response:
        """Say which ones: exactly these."""
        rule = self.get_for(Action.EDIT_RULES)
        wanted = set(self.validated(request)["targets"])
        targets = list(services.visible_targets(self.actor).filter(pk__in=wanted))
        if len(targets) != len(wanted):
            raise InvalidInputError("There is no such target.", field="targets")
        rule_targets.set_rule_targets(actor=self.actor, rule=rule, targets=targets)
        return self._answer(rule)

    def _answer(self, rule: Rule) -> Response:
        rows = rule_targets.targets_of_rule(self.actor, rule)
        return Response({"targets": [str(key) for key in rows.values_list("pk", flat=True)]})
