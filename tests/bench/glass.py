"""From the picture changing to its being shown: a synthetic camera's pixel clock, read in a browser."""

import binascii
import shutil
import statistics
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.bench.report import Row
from tests.e2e.browsing import CHROMIUM_ARGUMENTS, log_in, until
from tests.e2e.running import RunningOmma

SECONDS = 20
_P95_GOAL_MS = 300.0
_FIRST_GOAL_MS = 500.0
_OPENINGS = 3
_TIMEOUT_S = 60.0
_SETTLE_MS = 5_000

# Waits, from the very beginning of the page, for the first picture of any tile.
_FIRST = """
async () => {
  let video = null;
  while (!(video = document.querySelector('.tile video'))) await new Promise(requestAnimationFrame);
  if (video.currentTime === 0) await new Promise((shown) => video.requestVideoFrameCallback(shown));
  return performance.now();
}
"""

# Reads the pixel code (omma_engine/sources/pixel_code.py: 32 x 5 cells of 4 px, the first row for tuning in)
# from every frame as the browser presents it, and notes when that was.
_WATCH = """
async (seconds) => {
  const video = document.querySelector('.tile video');
  const canvas = new OffscreenCanvas(128, 20);
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  const seen = [];
  const read = () => {
    brush.drawImage(video, 0, 0, 128, 20, 0, 0, 128, 20);
    const { data } = brush.getImageData(0, 0, 128, 20);
    let bits = '';
    for (let cell = 32; cell < 160; cell += 1) {
      const x = (cell % 32) * 4 + 2;
      const y = Math.floor(cell / 32) * 4 + 2;
      bits += data[(y * 128 + x) * 4] > 128 ? '1' : '0';
    }
    return bits;
  };
  const end = performance.now() + seconds * 1000;
  await new Promise((done) => {
    const next = () => {
      const shownAt = performance.timeOrigin + performance.now();
      seen.push([shownAt, read()]);
      if (performance.now() < end) video.requestVideoFrameCallback(next); else done();
    };
    video.requestVideoFrameCallback(next);
  });
  return seen;
}
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the browser saw: each frame's delay in milliseconds, and how long first pictures took."""

    delays_ms: list[float]
    frames: int
    first_ms: list[float]


def measure() -> list[Row]:
    """Return the median and the 95th percentile in milliseconds, and the time to the first picture."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return [Row("glass to glass", None, "ms", note="not run: no chromium on this machine")]
    with tempfile.TemporaryDirectory(prefix="omma-bench-") as folder:
        running = RunningOmma(data_dir=Path(folder) / "data", cameras=["synthetic:yard"])
        running.start()
        try:
            watched = _watch(running, chromium)
        finally:
            running.stop()
    delays = sorted(watched.delays_ms)
    note = f"{len(delays)} of {watched.frames} frames read, Chromium without a GPU"
    return [
        Row("glass to glass, median", statistics.median(delays), "ms", note=note),
        Row("glass to glass, p95", delays[int(len(delays) * 0.95)], "ms", _P95_GOAL_MS, note=note),
        Row(
            "first picture after opening the wall",
            statistics.median(watched.first_ms),
            "ms",
            _FIRST_GOAL_MS,
            note=f"median of {len(watched.first_ms)}, from the address to the picture, the page included",
        ),
    ]


def _watch(running: RunningOmma, chromium: str) -> Watched:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(base_url=running.url)
        log_in(page)
        until(page, "() => document.querySelector('.tile video')?.currentTime > 1", timeout_s=_TIMEOUT_S)
        first_ms = [_first_ms(page) for _ in range(_OPENINGS)]
        page.wait_for_timeout(_SETTLE_MS)
        seen: list[tuple[float, str]] = page.evaluate(_WATCH, SECONDS)
        browser.close()
    delays = [shown_ms - utc_us / 1000 for shown_ms, bits in seen if (utc_us := _utc_us(bits)) is not None]
    return Watched(delays, len(seen), first_ms)


def _first_ms(page: Page) -> float:
    page.goto("/app/", wait_until="commit")
    first_ms: Any = page.evaluate(_FIRST)
    return float(first_ms)


def _utc_us(bits: str) -> int | None:
    """Return the time in a pixel code, or None where its checksum says that it was read wrongly."""
    code = int(bits, 2).to_bytes(16, "big")
    body, (checksum,) = code[:14], struct.unpack(">H", code[14:])
    return struct.unpack(">HIQ", body)[2] if binascii.crc_hqx(body, 0xFFFF) == checksum else None
