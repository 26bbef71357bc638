"""From the picture changing to its being shown: a synthetic camera's pixel clock, read in a browser."""

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.bench.report import Row
from tests.e2e.conftest import CHROMIUM_ARGUMENTS, log_in
from tests.e2e.running import RunningOmma

_SECONDS = 20

# Reads the pixel code (omma_engine/sources/pixel_code.py: 32 x 5 cells of 4 px; 64 bits of UTC behind 48)
# from every frame as the browser presents it, and notes the distance to now.
_WATCH = """
async (seconds) => {
  const video = document.querySelector('.tile video');
  const canvas = new OffscreenCanvas(128, 20);
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  const delays = [];
  const read = () => {
    brush.drawImage(video, 0, 0, 128, 20, 0, 0, 128, 20);
    const { data } = brush.getImageData(0, 0, 128, 20);
    let utc = 0n;
    for (let bit = 48; bit < 112; bit += 1) {
      const x = (bit % 32) * 4 + 2;
      const y = (1 + Math.floor(bit / 32)) * 4 + 2;
      utc = (utc << 1n) | (data[(y * 128 + x) * 4] > 128 ? 1n : 0n);
    }
    return Number(utc) / 1000;
  };
  const end = performance.now() + seconds * 1000;
  await new Promise((done) => {
    const next = () => {
      const shownAt = Date.now();
      delays.push(shownAt - read());
      if (performance.now() < end) video.requestVideoFrameCallback(next); else done();
    };
    video.requestVideoFrameCallback(next);
  });
  return delays;
}
"""


def measure() -> list[Row]:
    """Return the median and the 95th percentile in milliseconds, and the time to the first picture."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return [Row("glass to glass", None, "ms", note="not run: no chromium on this machine")]
    with tempfile.TemporaryDirectory() as folder:
        running = RunningOmma(data_dir=Path(folder), cameras=["synthetic:yard"])
        running.start()
        try:
            delays, first_ms = _watch(running, chromium)
        finally:
            running.stop()
    plausible = sorted(delay for delay in delays if 0 <= delay < 10_000)
    note = f"{len(plausible)} of {len(delays)} frames read"
    return [
        Row("glass to glass, median", statistics.median(plausible), "ms", note=note),
        Row("glass to glass, p95", plausible[int(len(plausible) * 0.95)], "ms", note=note),
        Row("first picture after opening the wall", first_ms, "ms"),
    ]


def _watch(running: RunningOmma, chromium: str) -> tuple[list[float], float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(base_url=running.url)
        log_in(page)
        page.wait_for_function("document.querySelector('.tile video').currentTime > 1", timeout=60_000)
        began = time.monotonic()
        page.goto("/app/")
        page.wait_for_function("document.querySelector('.tile video').currentTime > 0", timeout=30_000)
        first_ms = (time.monotonic() - began) * 1000
        delays: Any = page.evaluate(_WATCH, _SECONDS)
        browser.close()
    return [float(delay) for delay in delays], first_ms
