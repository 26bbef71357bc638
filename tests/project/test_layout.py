"""`platform/` is a source root and never a package: it shares its name with the standard library."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

PLATFORM = ROOT / "platform"


def test_platform_is_no_package_and_holds_exactly_two() -> None:
    found = {path.name for path in PLATFORM.iterdir() if path.name != "__pycache__"}

    assert found == {"omma", "omma_engine"}


@pytest.mark.parametrize("module", ["platform", "uuid"])
def test_the_standard_library_is_not_shadowed_in_a_child(module: str) -> None:
    program = f"import platform, uuid; platform.system(); print({module}.__file__)"

    child = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )

    assert str(ROOT) not in child.stdout


def test_every_folder_of_ours_with_python_is_a_package() -> None:
    folders = {
        path.parent
        for root in ("apps", "platform/omma", "platform/omma_engine", "tests")
        for path in (ROOT / root).rglob("*.py")
        if "__pycache__" not in path.parts
    }

    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_the_engine_is_importable_where_django_is_not() -> None:
    program = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "celery", "channels", "rest_framework", "redis", "psycopg"}:
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
import omma_engine
for module in pkgutil.walk_packages(omma_engine.__path__, "omma_engine."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""

    child = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert child.stderr == ""


def test_no_file_of_ours_names_a_registry() -> None:
    suspects = ["requirements", "docker", "Makefile", "pyproject.toml", ".ci"]
    files = [
        path
        for name in suspects
        for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
        if path.is_file()
    ]

    named = [path.name for path in files if "index-url" in path.read_text() or "://pypi" in path.read_text()]

    assert named == []


def test_a_worker_carries_no_library_that_only_some_need() -> None:
    program = """
import sys
import django
django.setup()
import omma.celery
heavy = {"av", "cv2", "numpy", "onnxruntime", "supervision", "trackers", "torch", "twisted", "matplotlib"}
print(sorted(heavy & set(sys.modules)))
"""

    child = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert child.stdout.strip() == "[]"
