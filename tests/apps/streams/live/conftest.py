"""A house, and a camera in it whose packets are offered by the test."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from apps.streams.bus import publisher
from apps.streams.bus.publisher import StreamPublisher
from tests.apps.streams.live.house import House, make_house


@pytest.fixture
def house(transactional_db: Any) -> House:
    return make_house()


@pytest.fixture
def door_publisher(house: House) -> Iterator[StreamPublisher]:
    made = publisher.connect(settings.BUS_URL)(house.stream.pk)
    yield made
    made.close()
