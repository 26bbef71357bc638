"""Which store holds a volume's files."""

import json
from pathlib import Path

from apps.core.credentials import seal, unseal
from apps.streams.models import Volume, VolumeKind
from apps.streams.stores.base import Store
from apps.streams.stores.bucket import BucketAddress, BucketStore
from apps.streams.stores.folder import FolderStore

SCHEME = "s3://"


def store_of(volume: Volume) -> Store:
    """Return the store of a volume."""
    if volume.kind == VolumeKind.FOLDER:
        return FolderStore(Path(volume.root))
    bucket, _, prefix = volume.root.removeprefix(SCHEME).partition("/")
    access_key, secret_key = json.loads(unseal(volume.secret)) if volume.secret else ("", "")
    address = BucketAddress(
        bucket=bucket,
        prefix=prefix,
        endpoint=volume.options.get("endpoint", ""),
        region=volume.options.get("region", ""),
        access_key=access_key,
        secret_key=secret_key,
    )
    return BucketStore(address, cache_name=str(volume.id))


def sealed_keys(access_key: str, secret_key: str) -> bytes | None:
    """Return what to store of a bucket's keys."""
    return seal(json.dumps([access_key, secret_key])) if access_key or secret_key else None
