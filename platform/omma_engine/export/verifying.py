"""Verify an export where it is, with nothing but the file: every byte against the manifest."""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omma_engine.export.manifest import FORMAT, MANIFEST_NAME, coverage_problems

_CHUNK = 1 << 20
_MAX_MANIFEST_BYTES = 256 << 20


def export_problems(path: Path) -> list[str]:
    """Return what differs from the manifest, one line each; an export without any is as it was made.

    Raises `OSError` where the file cannot be read at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return list(_problems(archive))
    except zipfile.BadZipFile as error:
        return [f"this is no whole zip: {error}"]


def _problems(archive: zipfile.ZipFile) -> Iterator[str]:
    manifest = _manifest(archive)
    if isinstance(manifest, str):
        yield manifest
        return
    names = Counter(archive.namelist())
    listed = Counter([MANIFEST_NAME, *(one["name"] for one in manifest["files"])])
    yield from (f"{name}: in the zip, and not in the manifest" for name in sorted(names - listed))
    yield from (f"{name}: in the manifest, and not in the zip" for name in sorted(listed - names))
    for entry in manifest["files"]:
        if entry["name"] in names:
            yield from _file_problems(archive, entry)
    yield from coverage_problems(manifest)


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any] | str:
    """Return the manifest, or what is wrong with it."""
    try:
        if archive.getinfo(MANIFEST_NAME).file_size > _MAX_MANIFEST_BYTES:
            return f"{MANIFEST_NAME}: too large to be one"
        manifest = json.loads(archive.read(MANIFEST_NAME))
        if manifest["format"] != FORMAT:
            return f"{MANIFEST_NAME}: expected the format {FORMAT}, got {manifest['format']!r}"
        coverage_problems(manifest)
        for entry in manifest["files"]:
            _ = entry["name"], entry["size"], entry["sha256"]
    except KeyError as error:
        return f"{MANIFEST_NAME}: not there, or without {error}"
    except (ValueError, TypeError, zipfile.BadZipFile) as error:
        return f"{MANIFEST_NAME}: cannot be read: {error}"
    found: dict[str, Any] = manifest
    return found


def _file_problems(archive: zipfile.ZipFile, entry: dict[str, Any]) -> Iterator[str]:
    name, digest, size = entry["name"], hashlib.sha256(), 0
    try:
        with archive.open(name) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        yield f"{name}: its bytes are not those that were written: {error}"
        return
    if size != entry["size"]:
        yield f"{name}: {size} bytes instead of {entry['size']}"
    elif digest.hexdigest() != entry["sha256"]:
        yield f"{name}: its SHA-256 is not that of the manifest"
