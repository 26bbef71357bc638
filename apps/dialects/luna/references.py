"""From Luna's `data` to the address, driver and options of a camera."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from apps.cameras.addresses import guess_driver
from apps.cameras.models import Driver
from apps.core.exceptions import InvalidInputError
from apps.dialects.luna.bodies import invalid
from omma_engine.redaction import redact

WITHOUT_FILES = "this agent reads no folders of pictures"
_FILE_SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a stream is read from. `is_download` is a video file that has to be fetched first."""

    address: str = field(repr=False)
    driver: str
    options: Mapping[str, Any]
    is_download: bool = False


def reference_of(data: Mapping[str, Any]) -> Reference:
    """Return what `data` names; raise a `LunaError` that names the part of it which cannot be used."""
    _refuse_unfit(data)
    address: str = data["reference"].strip()
    match data["type"]:
        case "tcp" | "udp" as transport:
            return _rtsp(address, transport)
        case "videofile":
            return _file(address, is_endless=bool(data.get("endless")))
        case _:
            return _stream(address, data)


def _refuse_unfit(data: Mapping[str, Any]) -> None:
    if data["type"] == "images":
        raise invalid("data.type", WITHOUT_FILES)
    strategy = data.get("orientation_strategy", "static")
    if strategy != "static" and "rotation" in data:
        raise invalid("data.rotation", "a rotation belongs to the static orientation strategy")
    if data.get("rotation"):
        raise invalid("data.rotation", "this agent does not turn pictures")


def _rtsp(address: str, transport: str) -> Reference:
    if not address.startswith(("rtsp://", "rtsps://")):
        raise invalid("data.reference", f"type {transport} reads an rtsp:// address")
    return Reference(address, Driver.RTSP.value, {"transport": transport})


def _file(address: str, *, is_endless: bool) -> Reference:
    if address.startswith(_FILE_SCHEMES):
        return Reference(address, Driver.FILE.value, {"loop": is_endless}, is_download=True)
    if "://" in address and not address.startswith("file:///"):
        raise invalid("data.reference", "a video file has a path, or an http:// address")
    if not address.startswith(("/", "file:")):
        address = str(settings.OMMA_DATA_DIR / "media" / address)
    return Reference(address, Driver.FILE.value, {"loop": is_endless})


def _stream(address: str, data: Mapping[str, Any]) -> Reference:
    try:
        driver = guess_driver(address)
    except InvalidInputError as error:
        raise invalid("data.reference", redact(error.message)) from error
    if driver is Driver.FILE:
        return _file(address, is_endless=bool(data.get("endless")))
    transport = (data.get("ffmpeg_kwargs") or {}).get("rtsp_transport")
    is_chosen = driver is Driver.RTSP and transport in {"tcp", "udp"}
    return Reference(address, driver.value, {"transport": transport} if is_chosen else {})
