"""The two clients that SpectraX's document prints, against a real server."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import sync_playwright
from pytest_django import Settings

from apps.recordings.thumbnails import make_thumbnail
from tests.apps.dialects.spectrax.seed import DEFAULT_BASE, javascript_client, python_client
from tests.apps.dialects.spectrax.yard import Seen, Yard, add_recording, make_yard
from tests.apps.streams.live.web import Web, start_web
from tests.engine.playback.footage import read_numbers
from tests.factories import PASSWORD

pytestmark = [pytest.mark.shared, pytest.mark.django_db(transaction=True)]

MARK = "### "
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def web(seed: str, data_dir: Path, django_db_setup: None) -> Iterator[Web]:
    """Return the web server, which lets other origins in where the address has a token."""
    (data_dir / "staticfiles").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMMA_DATA_DIR", str(data_dir))
        patch.setenv("OMMA_COMPAT_CORS", "1")
        running = start_web()
    yield running
    running.stop()


@pytest.fixture
def filled(tmp_path: Path, data_dir: Path, settings: Settings, transactional_db: None) -> Yard:
    """Return cameras with a recording of a person and one of a dog."""
    settings.OMMA_DATA_DIR = data_dir
    yard = make_yard(tmp_path)
    yard.front.record(0, 5, 5)
    make_thumbnail(add_recording(yard.front, 2, 7, [Seen("person", 0.95, 42)]).pk)
    add_recording(yard.front, 7, 10, [Seen("dog", 0.7)])
    return yard


def run(command: list[str], folder: Path) -> list[str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_python_client_runs_with_a_password_in_its_base_address(
    seed: str, web: Web, filled: Yard, tmp_path: Path
) -> None:
    login = f"{quote(filled.viewer.user.username)}:{quote(PASSWORD)}"
    base = web.address("").replace("//", f"//{login}@")
    further = [
        "client.get_recording(first['id'])",
        "client.get_stats()",
        "client.get_recordings(stream_id=first['stream_id'], start_date='2026-11-20', end_date='2026-11-20',"
        " min_confidence=0.8, sort_by='confidence', sort_order='asc', offset=0)",
    ]
    script = python_client(seed).replace(DEFAULT_BASE, base)
    script += f"print({MARK!r} + json.dumps([{', '.join(further)}]))\n"

    lines = run([sys.executable, "-c", script], tmp_path)

    assert lines[0].startswith("System uptime: ")
    assert lines[1:4] == [
        "Found 1 recordings with people",
        "Recording: front-door at 2026-11-20T12:00:02.000000",
        "Duration: 5.00s, Confidence: 0.95",
    ]
    one, statistics, found = json.loads(lines[4].removeprefix(MARK))
    assert (one["id"], statistics["total_recordings"], found["total"]) == (1, 2, 1)
    assert found["recordings"] == [one]
    assert [number for number, _ in read_numbers(tmp_path / "output.mp4")] == list(range(20, 70))


PAGE_STUB = """
const shown = [];
globalThis.document = {createElement: () => ({}), body: {appendChild: (node) => shown.push(node)}};
"""
FURTHER = f"""
const file = await fetch(shown[0].src, {{headers: {{Range: 'bytes=0-99'}}}});
console.log({MARK!r} + JSON.stringify([
  file.status, (await file.arrayBuffer()).byteLength, await client.getRecording(1), await client.getStats(),
  client.getStreamUrl('video/backyard'),
]));
"""


def test_the_javascript_client_runs_in_node_with_a_token_in_its_base_address(
    seed: str, web: Web, filled: Yard, tmp_path: Path
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    base = web.address(f"/compat/spectrax/{filled.token}")
    client = javascript_client(seed).replace(DEFAULT_BASE, base)
    (tmp_path / "client.mjs").write_text(PAGE_STUB + client + FURTHER, encoding="utf-8")

    lines = run([node, "client.mjs"], tmp_path)

    assert lines[0].startswith("System uptime: ")
    assert lines[1:4] == [
        "Found 1 recordings",
        "Recording: front-door at 2026-11-20T12:00:02.000000",
        "Duration: 5.00s, Confidence: 0.95",
    ]
    status, size, one, statistics, stream = json.loads(lines[4].removeprefix(MARK))
    assert (status, size, one["id"], statistics["total_recordings"]) == (206, 100, 1, 2)
    assert stream == f"{base}/video/stream?path=video/backyard"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """Return the server of another origin, which serves a folder."""
    (tmp_path / "pages").mkdir()
    handler = partial(_Quiet, directory=str(tmp_path / "pages"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.mark.browser
def test_the_javascript_client_runs_in_a_page_of_another_origin(
    seed: str, web: Web, filled: Yard, tmp_path: Path, elsewhere: ThreadingHTTPServer
) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("browser: no chromium on this machine")
    base = web.address(f"/compat/spectrax/{filled.token}")
    client = javascript_client(seed).replace(DEFAULT_BASE, base)
    page_html = f'<!doctype html><body><script type="module">{client}</script>'
    (tmp_path / "pages" / "index.html").write_text(page_html, encoding="utf-8")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{elsewhere.server_address[1]}/index.html")
        page.wait_for_function("document.querySelector('video')?.readyState >= 1", timeout=20_000)
        duration = page.evaluate("document.querySelector('video').duration")
        at_root = page.evaluate(
            "address => fetch(address).then(() => 'let in', () => 'kept out')", web.address("/paths")
        )
        browser.close()

    assert round(duration, 1) == 5.0
    assert at_root == "kept out"
