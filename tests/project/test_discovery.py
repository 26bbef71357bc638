"""What the apps bring along is found by module name."""

from omma.discovery import app_modules


def test_modules_are_found_also_in_folders() -> None:
    assert "apps.accounts.api.urls" in [module.__name__ for module in app_modules("api.urls")]
    assert list(app_modules("no.such.module")) == []
