"""The pages below System, as far as somebody may open them."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.access import Action, Actor
from apps.system.pages.page_access import may_anywhere
from apps.system.selectors import may_see_system


@dataclass(frozen=True, slots=True)
class Tab:
    url: str
    label: str


def system_tabs(actor: Actor) -> list[Tab]:
    """Return the tabs; none where there is only one."""
    tabs = [Tab(reverse("pages:system"), _("Health"))]
    if may_see_system(actor) or may_anywhere(actor, Action.MANAGE_RETENTION):
        tabs.append(Tab(reverse("pages:storage"), _("Storage")))
    if may_anywhere(actor, Action.MANAGE_MEMBERS):
        tabs.append(Tab(reverse("pages:members"), _("People")))
    if may_anywhere(actor, Action.SEE_SYSTEM):
        tabs.append(Tab(reverse("pages:audit"), _("Audit")))
    return tabs if len(tabs) > 1 else []
