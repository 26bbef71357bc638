"""Where blocking work runs, so that the loop thread beats its children whatever the database does."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")


class Lane(Protocol):
    """Runs calls beside the loop thread."""

    def submit(self, call: Callable[[], T]) -> "Future[T]": ...
    def close(self) -> None: ...


class ThreadLane:
    """A few threads of its own; `close` does not wait for a call that hangs."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        return self._pool.submit(call)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class InlineLane:
    """Runs each call at once, on the caller's thread: deterministic, for tests."""

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        future: Future[T] = Future()
        try:
            future.set_result(call())
        except Exception as error:  # noqa: BLE001 - handed to whoever reads the future, as a pool does
            future.set_exception(error)
        return future

    def close(self) -> None:
        return
