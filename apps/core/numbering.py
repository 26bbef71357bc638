"""Numbers for people, counted per owner (an account) and kind, without holes made by races."""

from typing import Any

from django.db import models, transaction


def next_number(owner: models.Model, kind: str) -> int:
    """Return the owner's next number of that kind, from 1. The owner has a JSON column `counters`.

    The owner's row stays locked until the surrounding transaction ends.
    """
    with transaction.atomic():
        # NO KEY UPDATE: rows that only refer to the owner are inserted meanwhile.
        row: Any = type(owner)._default_manager.select_for_update(no_key=True, of=("self",)).get(pk=owner.pk)
        counters: dict[str, int] = row.counters
        number = counters.get(kind, 0) + 1
        row.counters = {**counters, kind: number}
        row.save(update_fields=["counters"])
    return number
