"""Where a child's packets go besides the disk: the publisher that was named on the command line."""

from collections.abc import Callable
from importlib import import_module
from typing import cast
from uuid import UUID

from omma_engine.ports import DemandLevel, PacketPublisher
from omma_engine.types import CodecInfo, EncodedPacket

NO_PUBLISHER = "none"

PublisherFactory = Callable[[UUID], PacketPublisher]


class SilentPublisher:
    """Publishes nothing."""

    level = DemandLevel.NONE

    def set_codec(self, info: CodecInfo) -> None:
        """Take no notice."""

    def offer(self, packet: EncodedPacket) -> None:
        """Take no notice."""

    def close(self) -> None:
        """Have nothing to let go of."""


def publisher_factory(name: str, bus_url: str) -> PublisherFactory:
    """Return the factory that `module:function` makes for this bus; `none` publishes nothing.

    Importing it must start no thread: a zygote calls this before it forks.
    """
    if name == NO_PUBLISHER:
        return lambda _: SilentPublisher()
    module_name, _, function_name = name.partition(":")
    connect = getattr(import_module(module_name), function_name)
    return cast("PublisherFactory", connect(bus_url))  # what is named on the command line is the port's twin
