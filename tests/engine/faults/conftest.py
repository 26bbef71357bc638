"""A zygote for the children of a module's tests."""

from collections.abc import Iterator

import pytest

from tests.engine.capture.driving import ZygoteDriver
from tests.engine.coded import make_volume


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZygoteDriver]:
    with ZygoteDriver(make_volume(tmp_path_factory.mktemp("volume"))) as zygote:
        yield zygote
