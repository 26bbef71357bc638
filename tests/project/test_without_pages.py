"""Workers load no pages, no admin and no API; whoever shows rows finds their serializers."""

import os
import subprocess
import sys

import pytest

from apps.accounts.access import system_actor
from apps.core import representations

_SUPERVISORS = "import apps.streams.capture, apps.inference.hosting\nprint(*sys.modules)\n"
_EVERYTHING = """
import importlib, pkgutil, apps
PAGES = ("api", "admin", "pages", "routing", "urls", "views", "migrations", "management", "middleware")
def load(path, prefix):
    for module in pkgutil.iter_modules(path, prefix):
        words = module.name.rpartition(".")[2].split("_")
        if words[0] not in PAGES and words[-1] not in PAGES:
            loaded = importlib.import_module(module.name)
            load(getattr(loaded, "__path__", ()), f"{module.name}.")
load(apps.__path__, "apps.")
"""
_HEAVY = {
    "rest_framework.serializers",
    "django.contrib.admin.options",
    "requests",
    "django.test",
    "cv2",
    "numpy",
    "httpx",
    "jsonschema",
    "av",
}


def run_without_pages(program: str, **changes: str) -> list[str]:
    environment = (
        os.environ | {"OMMA_HAS_PAGES": "0", "DJANGO_SETTINGS_MODULE": "omma.settings.base"} | changes
    )
    return subprocess.run(
        [sys.executable, "-c", f"import django, sys\ndjango.setup()\n{program}"],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip


def test_supervisors_load_no_pages() -> None:
    assert _HEAVY.isdisjoint(run_without_pages(_SUPERVISORS))


def test_supervisors_outside_celery_do_without_it() -> None:
    inside, outside = run_without_pages(_SUPERVISORS), run_without_pages(_SUPERVISORS, OMMA_HAS_TASKS="0")

    assert {"celery.bootsteps", "kombu"} <= set(inside)
    assert {"celery", "kombu", "yaml"}.isdisjoint(outside)


def test_what_workers_may_run_can_be_loaded_without_pages() -> None:
    run_without_pages(_EVERYTHING)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", sorted(representations.registered_kinds()))
def test_each_kind_of_row_has_its_serializer(kind: str) -> None:
    assert representations.load(kind, [], system_actor()) == {}
