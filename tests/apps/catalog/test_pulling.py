"""Models pulled by name from a server of our own: the right file or none."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from apps.catalog import files
from apps.catalog.models import Model, ModelVersion
from omma_engine.workshop import training
from tests.engine.detect.tiny_onnx import tiny_bytes

pytestmark = pytest.mark.django_db
CONTENT = tiny_bytes()
DIGEST = hashlib.sha256(CONTENT).hexdigest()
SHOWN = {
    "/models/shapes.onnx": CONTENT,
    "/models/other.onnx": CONTENT + b"!",
    "/models/SHA256SUMS": f"{DIGEST}  shapes.onnx\n{DIGEST} *other.onnx\n".encode(),
}


class Shelf(BaseHTTPRequestHandler):
    """A folder of models; `/models/moved.onnx` leads elsewhere."""

    def do_GET(self) -> None:
        if self.path == "/models/moved.onnx":
            self.send_response(302)
            self.send_header("Location", "/models/shapes.onnx")
            self.end_headers()
            return
        body = SHOWN.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        return


@pytest.fixture(autouse=True)
def _shelf(settings: LazySettings, tmp_path: Path) -> Iterator[None]:
    settings.OMMA_DATA_DIR = tmp_path
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    settings.OMMA_MODELS_URL = f"http://127.0.0.1:{server.server_port}/models/"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def pull(name: str, *options: str) -> str:
    output = StringIO()
    call_command("model", "pull", name, *options, stdout=output)
    return output.getvalue()


def test_a_model_is_pulled_by_the_listed_hash_or_the_given_one() -> None:
    assert pull("shapes.onnx") == "shapes version 1: 2 labels\n"
    assert pull("shapes.onnx", "--sha256", DIGEST.upper()) == "shapes version 1: 2 labels\n"

    version = ModelVersion.objects.get(sha256=DIGEST)
    assert version.model.account_id is None
    assert version.model.origin.endswith("/models/shapes.onnx")


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("other.onnx", (), "is not the file that was meant"),
        ("absent.onnx", (), "SHA256SUMS has no absent.onnx"),
        ("absent.onnx", ("--sha256", DIGEST), "the server answers 404"),
        ("moved.onnx", ("--sha256", DIGEST), "the server answers 302"),
        ("shapes.onnx", ("--sha256", "short"), "64 hexadecimal digits"),
        ("../secrets.onnx", (), "Expected a file's name"),
        ("shapes.exe", (), "Expected a file's name"),
    ],
)
def test_anything_else_is_refused_and_leaves_nothing(
    name: str, options: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(CommandError, match=problem):
        pull(name, *options)

    assert not Model.objects.exists()
    assert not files.folder().exists() or list(files.folder().iterdir()) == []


def test_a_pickle_needs_the_extra_and_a_hash_given_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "missing", lambda: training.MISSING)
    with pytest.raises(CommandError, match="pip install 'omma"):
        pull("shapes.pt")

    monkeypatch.setattr(training, "missing", lambda: "")
    with pytest.raises(CommandError, match="can run anything when it is loaded"):
        pull("shapes.pt")


def test_without_a_base_address_it_says_what_to_set(settings: LazySettings) -> None:
    settings.OMMA_MODELS_URL = ""

    with pytest.raises(CommandError, match="set OMMA_MODELS_URL"):
        pull("shapes.onnx")
