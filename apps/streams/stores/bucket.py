"""A volume in an S3 bucket, through django-storages (the optional part `[s3]`).

Files are read whole into a cache below the data folder, and their length is checked; players seek in it.
"""

import contextlib
import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files import File

from apps.core.egress import check_outbound
from apps.core.exceptions import OmmaError, UnavailableError
from apps.streams.stores.base import Room
from apps.streams.volumes import Identity, parse_identity
from omma_engine.errors import FootageMissingError
from omma_engine.record.volume import IDENTITY_FILE

CACHE_BYTES = 8 * (1 << 30)
CACHE_KEPT_S = 3600.0
_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 10
_SCHEMES = frozenset({"http", "https"})  # the keys sign, and are not sent


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """Where a bucket is, and what opens it."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)


class BucketStore:
    """Objects below a prefix of a bucket. Every error of the service is an `OSError`."""

    def __init__(self, address: BucketAddress, *, cache_name: str) -> None:
        self._address = address
        self._cache = cache_folder() / cache_name
        self._opened: Any = None

    def identity(self) -> Identity | None:
        with _errors():
            if self._size(IDENTITY_FILE) is None:
                return None
            with self._storage.open(IDENTITY_FILE) as file:
                return parse_identity(file.read(4096))

    def write_identity(self, identity: Identity) -> None:
        with _errors():
            self._put(io.BytesIO(identity.as_text().encode()), IDENTITY_FILE)

    def is_empty(self) -> bool:
        with _errors():
            folders, files = self._storage.listdir("")
            return not folders and not files

    def room(self) -> Room:
        return Room()

    def try_writing(self) -> None:
        """Do nothing: a bucket looks after its disks itself."""

    def size_of(self, path: str) -> int | None:
        with _errors():
            return self._size(path)

    def sha256_of(self, path: str, size: int) -> str:
        digest = hashlib.sha256()
        self._read(path, size, digest.update)
        return digest.hexdigest()

    def take(self, file: Path, path: str, size: int) -> None:
        with _errors(), file.open("rb") as source:
            self._put(_Head(source, size), path)

    def open(self, path: str) -> int:
        """Open the cached copy, fetched when it is not there; the copy may go while it is read."""
        cached = self._cache / hashlib.sha256(path.encode()).hexdigest()
        try:
            descriptor = os.open(cached, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            try:
                descriptor = self._fetched(path, cached)
            except (OSError, OmmaError) as error:
                raise FootageMissingError(f"cannot fetch {path} from its bucket: {error}") from error
        os.utime(descriptor)  # the cache is cleaned by last use
        return descriptor

    def delete(self, path: str) -> None:
        with _errors():
            self._storage.delete(path)
        (self._cache / hashlib.sha256(path.encode()).hexdigest()).unlink(missing_ok=True)

    def delete_folder(self, path: str) -> bool:
        with _errors():
            folders, files = self._storage.listdir(path)
        for name in files:
            self.delete(f"{path}/{name}")
        for name in folders:
            self.delete_folder(f"{path}/{name}")
        return bool(folders or files)

    @property
    def _storage(self) -> Any:
        """Return the client. The address passes the egress guard at every opening."""
        if self._opened is None:
            self._opened = _storage_of(self._address)
        return self._opened

    def _size(self, path: str) -> int | None:
        return int(self._storage.size(path)) if self._storage.exists(path) else None

    def _put(self, content: Any, path: str) -> None:
        self._storage.save(path, File(content))

    def _fetched(self, path: str, cached: Path) -> int:
        size = self.size_of(path)
        if size is None:
            raise FileNotFoundError(path)
        self._cache.mkdir(parents=True, exist_ok=True)
        waiting = cached.with_name(f"{cached.name}.{uuid4().hex[:8]}.part")
        try:
            with waiting.open("xb") as copy:
                self._read(path, size, copy.write)
            waiting.replace(cached)
            return os.open(cached, os.O_RDONLY | os.O_CLOEXEC)
        finally:
            waiting.unlink(missing_ok=True)

    def _read(self, path: str, size: int, take: Callable[[bytes], object]) -> None:
        left = size
        with _errors(), self._storage.open(path) as file:
            while left > 0 and (chunk := file.read(min(_CHUNK_BYTES, left))):
                take(chunk)
                left -= len(chunk)
        if left:
            raise OSError(f"{path} is {left} bytes short")


class _Head(io.RawIOBase):
    """The first bytes of a file, as a file."""

    def __init__(self, file: Any, size: int) -> None:
        super().__init__()
        self._file, self._size = file, size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return int(self._file.tell())

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self._size}[whence]
        return int(self._file.seek(base + offset))

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self.tell())
        return bytes(self._file.read(left if size < 0 else min(size, left)))


def cache_folder() -> Path:
    """Return where what was fetched is kept for a while."""
    return Path(settings.OMMA_DATA_DIR) / "cache" / "archive"


def clean_cache() -> int:
    """Delete what nobody read lately, and the oldest used where it is too much; return how many files."""
    now_s, count = time.time(), 0
    found = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in cache_folder().glob("*/*"))
    total = sum(size for _, size, _ in found)
    for used_s, size, path in found:
        if now_s - used_s > CACHE_KEPT_S or total > CACHE_BYTES:
            path.unlink(missing_ok=True)
            total -= size
            count += 1
    return count


def is_installed() -> bool:
    """Tell whether the optional part is there."""
    try:
        import storages.backends.s3  # noqa: F401 - only to see
    except (ImportError, ImproperlyConfigured):
        return False
    return True


def _storage_of(address: BucketAddress) -> Any:
    from boto3.s3.transfer import TransferConfig  # optional and heavy
    from botocore.config import Config
    from storages.backends.s3 import S3Storage

    if address.endpoint:
        try:
            check_outbound(address.endpoint, schemes=_SCHEMES, field="endpoint")
        except OmmaError as error:
            raise ConnectionError(error.message) from error
    return S3Storage(
        bucket_name=address.bucket,
        location=address.prefix,
        endpoint_url=address.endpoint or None,
        region_name=address.region or "us-east-1",
        access_key=address.access_key,
        secret_key=address.secret_key,
        file_overwrite=True,
        default_acl=None,
        transfer_config=TransferConfig(use_threads=False),
        client_config=Config(
            connect_timeout=_TIMEOUT_S,
            read_timeout=3 * _TIMEOUT_S,
            retries={"max_attempts": 2},
            signature_version="s3v4",
            s3={"addressing_style": "path"} if address.endpoint else {},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Let the service's errors be those of a disk."""
    if not is_installed():
        raise UnavailableError("Buckets need the optional part: pip install 'omma[s3]'.", code="s3_missing")
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise ConnectionError(f"the bucket does not answer as it should: {error}"[:300]) from error
