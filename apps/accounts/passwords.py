"""Names and passwords: checked slowly once, throttled, and then remembered for a short while (HTTP Basic)."""

import hashlib
import hmac
from datetime import datetime

from django.conf import settings
from django.contrib.auth import authenticate
from django.core.cache import caches
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.throttling import claim_try, counters_for, forgive

_REMEMBERED_S = 300


def check_password(
    *,
    name: str,
    password: str,
    address: str | None,
    now: datetime,
    device: str = "",
    request: HttpRequest | None = None,
) -> User | None:
    """Return the person, or None for a wrong name or password (the two take the same time).

    Raise `ThrottledError` without looking at the password while this name or address has tried too often.
    """
    if "\x00" in name or "\x00" in password:
        return None
    counters = counters_for(name=name, address=address, device=device)
    claim_try(counters, now=now)
    user = authenticate(request, username=name, password=password)
    if not isinstance(user, User):
        return None
    forgive(counters)
    return user


def check_password_again(*, name: str, password: str, address: str | None, now: datetime) -> User | None:
    """Do the same for clients that send the password each time: right ones are remembered for five minutes.

    What is remembered is a keyed digest, in this process only, and it is tied to the stored password:
    changing that, or ending the person's sessions, ends it.
    """
    memory = caches["process"]
    key = _keyed_digest(f"{len(name)}:{name}{password}")
    known = memory.get(key)
    if known is not None:
        user = _still_valid(known)
        if user is not None:
            return user
    user = check_password(name=name, password=password, address=address, now=now)
    if user is not None:
        memory.set(key, (str(user.pk), _state_of(user)), _REMEMBERED_S)
    return user


def _still_valid(known: tuple[str, str]) -> User | None:
    try:
        user = User.objects.get(pk=known[0], is_active=True)
    except ObjectDoesNotExist:
        return None
    return user if hmac.compare_digest(_state_of(user), known[1]) else None


def _state_of(user: User) -> str:
    return _keyed_digest(f"{user.session_epoch}:{user.password}")


def _keyed_digest(text: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
