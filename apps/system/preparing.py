"""What has to be true before Omma runs: a current schema, an account, an administrator, static files.

Every step may be repeated, and two of them at once do no harm: an advisory lock lets one pass at a time.
"""

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import transaction

from apps.accounts.models import Account, Member, Role, User
from apps.catalog.services import ensure_builtins
from apps.core import own_connections, partitions, periodic
from apps.core.advisory_locks import MIGRATE
from omma.embedded.secret_file import read_or_make

ADMINISTRATOR = "admin"
ACCOUNT_NAME = "Home"
STAMP = ".collected"


def ensure_signing_key() -> None:
    """Make the key that signs sessions, which the settings read at the next start of a process."""
    read_or_make(Path(settings.OMMA_SECRETS_DIR) / "signing.key", size_bytes=48)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait for others who prepare the same database."""
    with own_connections.connect("omma prepare") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATE])
        yield


def bring_schema_up_to_date() -> None:
    """Check the settings, apply migrations, make partitions ahead and the rows of jobs and models."""
    call_command("check")
    call_command("migrate", interactive=False, verbosity=0)
    partitions.ensure_partitions()
    periodic.sync_jobs()
    ensure_builtins()


@transaction.atomic
def ensure_account() -> Account:
    """Return the oldest account, made on the first start."""
    return Account.objects.order_by("created_at", "id").first() or Account.objects.create(name=ACCOUNT_NAME)


@transaction.atomic
def ensure_administrator(account: Account, password: str = "", *, tell: Callable[[str], None]) -> None:
    """Make the first administrator where there is no superuser; `tell` a password that was made up.

    It is told before the administrator is kept: whatever ends this afterwards, nobody is locked out.
    """
    if User.objects.filter(is_superuser=True).exists():
        return
    chosen = password or secrets.token_urlsafe(12)
    user = User.objects.create_superuser(username=ADMINISTRATOR, password=chosen)
    Member.objects.create(account=account, user=user, role=Role.ADMIN)
    if not password:
        tell(chosen)


def collect_static_files() -> bool:
    """Hash and compress the static files where they have changed since; tell whether they had."""
    stamp = Path(settings.STATIC_ROOT) / STAMP
    fingerprint = _fingerprint_of_static_files()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == fingerprint:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(fingerprint, encoding="ascii")
    return True


def _fingerprint_of_static_files() -> str:
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path}:{found.st_size}:{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
