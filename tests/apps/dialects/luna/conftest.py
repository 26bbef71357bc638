import pytest

from apps.catalog.services import ensure_builtins
from tests.apps.dialects.luna.house import Luna, make_luna


@pytest.fixture
def luna(db: None) -> Luna:
    """Return a client that may do everything in an account of its own."""
    ensure_builtins()
    return make_luna()
