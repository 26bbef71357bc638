"""The zip of an export: stored without compression, complete or not there at all."""

import os
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from omma_engine.export.manifest import MANIFEST_NAME, FileEntry, Manifest, manifest_bytes, time_us
from omma_engine.record.recover import sync_folder

_CHUNK = 1 << 20
_MAX_NAME_LENGTH = 60
_FORBIDDEN = re.compile(r'[\\/:*?"<>|]+')


def pack(target: Path, manifest: Manifest, sources: Iterable[Path]) -> int:
    """Write the files of a manifest, from `sources` in the same order, and the manifest; return the size.

    Everything goes to a `.part` beside the target, is synced, and appears under its name at once. Raises
    `OSError` as the disk does; nothing is left behind then.
    """
    waiting = target.with_suffix(".part")
    try:
        with zipfile.ZipFile(waiting, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for entry, source in zip(manifest["files"], sources, strict=True):
                _add(archive, entry, source)
            archive.writestr(_info(MANIFEST_NAME, manifest["created"]), manifest_bytes(manifest))
        with waiting.open("r+b") as file:
            os.fsync(file.fileno())
        size = waiting.stat().st_size
        waiting.replace(target)
        sync_folder(target.parent)
    finally:
        waiting.unlink(missing_ok=True)
    return size


def safe_name(text: str) -> str:
    """Return a text as part of a file's name on any system.

    >>> safe_name("../Tür: Ost/West")
    '_Tür_ Ost_West'
    """
    plain = "".join(one for one in unicodedata.normalize("NFC", text) if one.isprintable())
    return _FORBIDDEN.sub("_", plain).strip(" .")[:_MAX_NAME_LENGTH] or "unnamed"


def _add(archive: zipfile.ZipFile, entry: FileEntry, source: Path) -> None:
    info = _info(entry["name"], entry["start"])
    info.file_size = entry["size"]
    with source.open("rb") as file, archive.open(info, "w", force_zip64=True) as target:
        while chunk := file.read(_CHUNK):
            target.write(chunk)


def _info(name: str, moment: str) -> zipfile.ZipInfo:
    at = datetime.fromtimestamp(max(time_us(moment) // 1_000_000, 315_532_800), UTC)  # zip begins in 1980
    info = zipfile.ZipInfo(name, (at.year, at.month, at.day, at.hour, at.minute, at.second))
    info.compress_type = zipfile.ZIP_STORED
    info.external_attr = 0o640 << 16
    return info
