"""Rules and their firings over HTTP."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import AccessModelViewSet, AccessReadOnlyViewSet, chosen_account
from apps.accounts.models import Account
from apps.accounts.selectors import account_for_writing
from apps.cameras.models import Camera
from apps.core.exceptions import InvalidInputError
from apps.rules import services
from apps.rules.api.filters import RuleFilter, RuleFiringFilter
from apps.rules.api.serializers import RuleFiringReadSerializer, RuleReadSerializer, RuleWriteSerializer
from apps.rules.models import Rule, RuleFiring


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
