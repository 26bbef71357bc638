"""Reading the database from an event loop, without keeping a connection for what comes afterwards."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar, cast

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")


def in_database_thread(function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """Return the function for event loops: it runs in the database's thread and gives its connection back."""
    return cast("Callable[P, Awaitable[T]]", database_sync_to_async(function))  # channels has no types
