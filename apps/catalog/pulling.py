"""Models fetched by name from the base address that the host's owner has set.

The file must have the hash that is given with the name, or that stands in `SHA256SUMS` beside it. A `.pt`
file is a pickle, which can run anything when it is loaded: it needs the hash given by hand, and is loaded in
a sandboxed process only.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import httpx
from django.conf import settings

from apps.accounts.access import Actor
from apps.catalog import files, services
from apps.catalog.models import Model, ModelTask, ModelVersion, Runtime
from apps.core.egress import check_outbound, trusted_origin_of
from apps.core.exceptions import ConflictError, InvalidInputError, UnavailableError
from omma_engine.detect.settings import OnnxSettings
from omma_engine.errors import DetectorError
from omma_engine.workshop import training

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TIMEOUT = httpx.Timeout(20.0, connect=10.0)
_MAX_SUMS_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 18


def pull_model(*, actor: Actor, name: str, sha256: str = "") -> ModelVersion:
    """Fetch a model by its file's name and take it into the catalogue, for every account."""
    services.require_model_rights(actor, None)
    if not _NAME.fullmatch(name) or PurePosixPath(name).suffix not in {".onnx", ".pt"}:
        raise InvalidInputError("Expected a file's name that ends in .onnx or .pt.", field="name")
    is_pickle = name.endswith(".pt")
    if is_pickle and training.missing():
        raise ConflictError(f"{training.missing()}.", code="extra_missing")
    if is_pickle and not sha256:
        raise InvalidInputError(
            "A .pt file can run anything when it is loaded: say which one is meant (--sha256).",
            field="sha256",
        )
    wanted = sha256.lower() or _listed_hash(name)
    if not _HASH.fullmatch(wanted):
        raise InvalidInputError("Expected a SHA-256 of 64 hexadecimal digits.", field="sha256")
    received = files.receive(_body(name))
    try:
        if received.sha256 != wanted:
            raise InvalidInputError(
                f"{name} is not the file that was meant: its SHA-256 is {received.sha256}.",
                code="wrong_checksum",
            )
        if is_pickle:
            return _adopt_pickle(actor, name, received)
        new = services.NewModel(name=PurePosixPath(name).stem, origin=_address(name)[:300])
        return services.adopt_model(actor=actor, wanted=new, received=received)
    finally:
        files.discard(received)


def _adopt_pickle(actor: Actor, name: str, received: files.ReceivedFile) -> ModelVersion:
    from omma_engine.detect.torch_detector import TorchDetector

    kept = files.keep(received, ".pt")
    try:
        detector = TorchDetector(files.path_of(kept), OnnxSettings())
    except DetectorError as exc:
        services.remove_unused({kept})
        raise InvalidInputError(f"This model cannot be used: {exc}.", code=exc.code) from exc
    detector.close()
    stem = PurePosixPath(name).stem
    model, is_new = Model.objects.get_or_create(
        account=None,
        slug=services.slug_of(stem),
        defaults={"name": stem, "task": ModelTask.DETECTION, "origin": _address(name)[:300]},
    )
    last = model.versions.order_by("-version").first()
    version, _ = ModelVersion.objects.get_or_create(
        model=model,
        sha256=received.sha256,
        defaults={
            "version": 1 if last is None else last.version + 1,
            "runtime": Runtime.ULTRALYTICS,
            "file": kept,
            "size_bytes": received.size_bytes,
            "labels": list(detector.labels),
        },
    )
    services.tell(actor, model, "created" if is_new else "updated", {"sha256": received.sha256})
    return version


def _listed_hash(name: str) -> str:
    """Return the hash that `SHA256SUMS` beside the models has for a name."""
    text = b""
    for chunk in _body("SHA256SUMS"):
        text += chunk
        if len(text) > _MAX_SUMS_BYTES:
            raise InvalidInputError("SHA256SUMS is too long.")
    for line in text.decode(errors="replace").splitlines():
        digest, _, listed = line.strip().partition(" ")
        if listed.strip().lstrip("*") == name:
            return digest.lower()
    raise InvalidInputError(f"SHA256SUMS has no {name}; give its hash (--sha256).", field="sha256")


def _address(name: str) -> str:
    base: str = settings.OMMA_MODELS_URL
    if not base:
        raise ConflictError(
            "There is no place to pull models from: set OMMA_MODELS_URL to a folder's address.",
            code="no_models_url",
        )
    return f"{base.rstrip('/')}/{name}"


def _body(name: str) -> Iterator[bytes]:
    """Yield a file's bytes; redirects are not followed: the address is the owner's word."""
    address = _address(name)
    check_outbound(
        address,
        schemes=frozenset({"http", "https"}),
        trusted_origin=trusted_origin_of(settings.OMMA_MODELS_URL),
    )
    try:
        with httpx.stream("GET", address, timeout=_TIMEOUT, follow_redirects=False) as answer:
            if answer.status_code != httpx.codes.OK:
                raise InvalidInputError(f"{name}: the server answers {answer.status_code}.", field="name")
            yield from answer.iter_bytes(_CHUNK_BYTES)
    except httpx.HTTPError as exc:
        raise UnavailableError(f"{name} cannot be fetched: {exc}.") from exc
