"""The house of the live tests: its people hear of their own cameras, and of nothing else."""

from typing import Any

import pytest

from tests.apps.streams.live.house import House, make_house


@pytest.fixture
def house(transactional_db: Any) -> House:
    return make_house()
