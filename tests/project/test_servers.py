"""The tests run against the real servers."""

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection


@pytest.mark.django_db
def test_the_database_is_postgres_18() -> None:
    assert connection.vendor == "postgresql"
    assert connection.cursor().connection.info.server_version // 10000 == 18


def test_the_cache_is_valkey() -> None:
    cache.set("colour", "green", 5)

    assert cache.get("colour") == "green"


def test_broker_and_bus_refuse_when_full() -> None:
    policies = [
        redis.Redis.from_url(url).config_get("maxmemory-policy")["maxmemory-policy"]
        for url in (settings.REDIS_URL, settings.BUS_URL)
    ]

    assert policies == ["noeviction", "noeviction"]
