"""A small S3 service for tests: objects in memory, over HTTP. It takes every signature, and has no versions.

It knows what the archive needs: PUT, GET (with ranges), HEAD, DELETE, listing below a prefix, and uploads in
parts.
"""

import hashlib
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

_XML = '<?xml version="1.0" encoding="UTF-8"?>'


class Bucket:
    """What the service holds. `is_away` lets it answer every request with an error."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.requests: list[str] = []
        self.is_away = False
        self.lock = threading.Lock()


@contextmanager
def serving() -> Iterator[tuple[str, Bucket]]:
    """Run the service; give its address and what it holds."""
    bucket = Bucket()
    handler = type("Handler", (_Handler,), {"bucket": bucket})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    bucket: Bucket
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        key, query = self._asked()
        if "list-type" in query or not key:
            self._answer(200, self._listing(query))
            return
        data = self.bucket.objects.get(key)
        if data is None:
            self._missing()
            return
        wanted = self.headers.get("Range", "")
        if not wanted:
            self._answer(200, data)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        end = min(int(last) + 1, len(data)) if last else len(data)
        part = data[int(first) : end]
        self._answer(206, part, {"Content-Range": f"bytes {first}-{end - 1}/{len(data)}"})

    def do_HEAD(self) -> None:
        key, _ = self._asked()
        data = self.bucket.objects.get(key)
        if data is None:
            self._answer(404, b"")
        else:
            self._answer(200, data, is_body_sent=False)

    def do_PUT(self) -> None:
        key, query = self._asked()
        data = self._body()
        with self.bucket.lock:
            if "uploadId" in query:
                self.bucket.uploads[query["uploadId"]][int(query["partNumber"])] = data
            else:
                self.bucket.objects[key] = data
        self._answer(200, b"", {"ETag": f'"{hashlib.md5(data).hexdigest()}"'})  # noqa: S324 - as S3 does

    def do_POST(self) -> None:
        key, query = self._asked()
        self._body()
        if "uploadId" in query:
            parts = self.bucket.uploads.pop(query["uploadId"])
            self.bucket.objects[key] = b"".join(parts[number] for number in sorted(parts))
            done = f"<Key>{escape(key)}</Key>"
            body = f"{_XML}<CompleteMultipartUploadResult>{done}</CompleteMultipartUploadResult>"
        else:
            upload = uuid.uuid4().hex
            self.bucket.uploads[upload] = {}
            body = (
                f"{_XML}<InitiateMultipartUploadResult><UploadId>{upload}</UploadId>"
                "</InitiateMultipartUploadResult>"
            )
        self._answer(200, body.encode())

    def do_DELETE(self) -> None:
        key, _ = self._asked()
        self.bucket.objects.pop(key, None)
        self._answer(204, b"")

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def _asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        self.bucket.requests.append(f"{self.command} {self.path}")
        key = unquote(parts.path).lstrip("/").partition("/")[2]
        return key, {name: values[0] for name, values in parse_qs(parts.query, True).items()}

    def _body(self) -> bytes:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return data
        plain, at = b"", 0
        while True:
            line_end = data.index(b"\r\n", at)
            size = int(data[at:line_end].split(b";")[0], 16)
            if size == 0:
                return plain
            plain += data[line_end + 2 : line_end + 2 + size]
            at = line_end + 2 + size + 2

    def _listing(self, query: dict[str, str]) -> bytes:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        files, folders = [], set()
        for key in sorted(self.bucket.objects):
            if not key.startswith(prefix):
                continue
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if found:
                folders.add(f"{prefix}{head}{delimiter}")
            else:
                files.append(f"<Contents><Key>{escape(key)}</Key><Size>1</Size></Contents>")
        common = "".join(
            f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in folders
        )
        inside = f"<IsTruncated>false</IsTruncated>{''.join(files)}{common}"
        return f"{_XML}<ListBucketResult>{inside}</ListBucketResult>".encode()

    def _missing(self) -> None:
        self._answer(404, f"{_XML}<Error><Code>NoSuchKey</Code></Error>".encode())

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, *, is_body_sent: bool = True
    ) -> None:
        if self.bucket.is_away:
            status, body, headers = 503, b"", {}
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Mon, 02 Mar 2026 12:00:00 GMT")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if is_body_sent and self.command != "HEAD":
            self.wfile.write(body)
