// What an analysis found, drawn over the video that it looked through: boxes are fetched half a minute at a time.
import { Overlay } from "./overlay.js";

const WINDOW_US = 30_000_000;
const BEFORE_US = 2_000_000; // a box goes on for a moment after its picture

class FoundOverlay extends Overlay {
  // Nothing is thrown away: the reader may go back.
  add(message) {
    const frames = this.byAnalytic.get(message.analytic_id) ?? [];
    this.byAnalytic.set(message.analytic_id, frames);
    frames.push(message);
  }

  settle() {
    for (const frames of this.byAnalytic.values()) frames.sort((one, other) => one.capture_us - other.capture_us);
  }
}

const moment = (us) => new Date(us / 1000).toISOString();

for (const tile of document.querySelectorAll("[data-found][data-analysis]")) {
  const video = tile.querySelector("video");
  const startUs = Number(tile.dataset.startUs);
  const overlay = new FoundOverlay(tile.querySelector("canvas"), video, (time) => startUs + time * 1e6);
  const asked = new Set();

  const fetchAround = async () => {
    const at = Math.floor((video.currentTime * 1e6) / WINDOW_US);
    for (const number of [at, at + 1]) {
      if (asked.has(number)) continue;
      asked.add(number);
      const from = startUs + number * WINDOW_US;
      const query = new URLSearchParams({ start: moment(number ? from : from - BEFORE_US), end: moment(from + WINDOW_US) });
      const answer = await fetch(`/api/v1/analyses/${tile.dataset.analysis}/boxes/?${query}`).catch(() => null);
      if (!answer?.ok) {
        asked.delete(number);
        return;
      }
      for (const { at_us: captureUs, analytic_id: analyticId, boxes } of await answer.json()) {
        overlay.add({ capture_us: captureUs, analytic_id: analyticId, boxes });
      }
      overlay.settle();
    }
  };

  for (const kind of ["timeupdate", "seeked", "loadeddata"]) video.addEventListener(kind, fetchAround);
  document.addEventListener("omma:refreshed", () => { // the analysis goes on: what was asked for may have more now
    asked.clear();
    overlay.byAnalytic.clear();
    fetchAround();
  });
}
