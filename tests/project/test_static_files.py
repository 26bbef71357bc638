"""Static files in browsers: compressed, known by their hash, kept for good, and never of two versions."""

import asyncio
import gzip
import re
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import RequestFactory
from servestatic.middleware import ServeStaticMiddleware

HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")
IMPORTED = re.compile(r"""(?:import|from)\s*["'](\.[^"']+)["']""")


@pytest.fixture
def middleware(settings: LazySettings, tmp_path: Path) -> ServeStaticMiddleware:
    """Return what answers for static files, with ours collected."""
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "omma.static_files.HashedStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)

    async def nobody(request: HttpRequest) -> HttpResponseBase:
        return HttpResponse(status=404)

    return ServeStaticMiddleware(nobody)


def fetch(middleware: ServeStaticMiddleware, path: str, **headers: str) -> tuple[HttpResponseBase, bytes]:
    request = RequestFactory().get(
        path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )

    async def read() -> tuple[HttpResponseBase, bytes]:
        response = await middleware(request)
        body = b""
        async for part in response:
            body += part
        return response, body

    return asyncio.run(read())


def test_they_go_out_compressed_to_whoever_takes_that(middleware: ServeStaticMiddleware) -> None:
    address = staticfiles_storage.url("js/timeline.js")

    plain, whole = fetch(middleware, address)
    packed, body = fetch(middleware, address, accept_encoding="gzip, deflate, br, zstd")

    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == whole
    assert len(body) < len(whole) / 2


def test_names_with_a_hash_are_kept_for_good_and_others_are_asked_for_again(
    middleware: ServeStaticMiddleware,
) -> None:
    hashed, _ = fetch(middleware, staticfiles_storage.url("css/base.css"))
    plain, _ = fetch(middleware, "/static/css/base.css")
    again, body = fetch(middleware, "/static/css/base.css", if_none_match=plain["ETag"])

    assert "immutable" in hashed["Cache-Control"]
    assert "immutable" not in plain["Cache-Control"]
    assert (again.status_code, body) == (304, b"")
    assert "Access-Control-Allow-Origin" not in hashed


def test_modules_import_each_other_by_their_hashes(middleware: ServeStaticMiddleware, tmp_path: Path) -> None:
    wrong = []
    for path in (tmp_path / "js").glob("*.js"):
        if not HASHED.search(path.name):
            continue
        for name in IMPORTED.findall(path.read_text()):
            target = (path.parent / name).resolve()
            if not HASHED.search(name) or not target.is_file():
                wrong.append((path.name, name))

    assert wrong == []
