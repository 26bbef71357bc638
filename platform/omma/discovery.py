"""Find what the apps bring along by the name of its module, so that nothing here imports an app."""

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from django.apps import apps
from django.utils.module_loading import module_has_submodule


def app_modules(name: str) -> Iterator[ModuleType]:
    """Yield `<app>.<name>` of every app of ours that has it; the name may have dots."""
    for config in apps.get_app_configs():
        if not config.name.startswith("apps."):
            continue
        parent, last = config.module, name
        *folders, last = name.split(".")
        for folder in folders:
            if parent is None or not module_has_submodule(parent, folder):
                parent = None
                break
            parent = import_module(f"{parent.__name__}.{folder}")
        if parent is not None and module_has_submodule(parent, last):
            yield import_module(f"{parent.__name__}.{last}")
