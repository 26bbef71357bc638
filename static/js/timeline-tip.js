// What the pointer is over: the time, what each camera has there, and a small picture.
import { Strips } from "./strips.js";
import { bar, data, part, stateAt, view } from "./timeline-page.js";
import { exact, lengthWords, seenWords } from "./timeline-words.js";
import { SECOND } from "./time-view.js";

const REST_MS = 120;
const tip = part("tip");
const strips = new Strips();
let hovered = null;

// The small picture of a moment, once the pointer rests there: asking for an hour has it made.
let restTimer = null;
function showTile({ lane, moment }) {
  clearTimeout(restTimer);
  const picture = tip.querySelector("[data-picture]");
  const isCovered = data.at(lane.stream, moment)?.isCovered && moment < Date.now();
  if (!isCovered) picture.hidden = true;
  else restTimer = setTimeout(() => {
    const tile = strips.tileAt(lane.stream, moment, () => { if (hovered) showTile(hovered); });
    picture.hidden = !tile;
    if (!tile) return;
    picture.style.width = `${tile.width}px`;
    picture.style.height = `${tile.height}px`;
    picture.style.background = `url("${tile.url}") ${-tile.x}px ${-tile.y}px`;
    if (hovered) placeTip(hovered.x);
  }, REST_MS);
}

function placeTip(x) {
  tip.style.left = `${Math.min(Math.max(0, x - tip.offsetWidth / 2), Math.max(0, view.width - tip.offsetWidth))}px`;
}

bar.addEventListener("hover", ({ detail }) => {
  tip.hidden = !detail || Boolean(bar.drag);
  hovered = tip.hidden ? null : detail;
  if (tip.hidden) return;
  const { lane, moment, x } = detail;
  tip.querySelector("[data-time]").textContent = exact(moment);
  const found = data.at(lane.stream, moment);
  const gap = found?.gap && !found.isCovered ? ` (${lengthWords(found.gap.gap_s * SECOND)}${found.gap.count > 1 ? ` in ${found.gap.count} gaps` : ""})` : "";
  const state = stateAt(lane.stream, moment);
  tip.querySelector("[data-state]").textContent = `${lane.name}: ${moment > Date.now() ? "yet to come" : `${state || "loading"}${gap}`}`;
  tip.querySelector("[data-seen]").textContent = found?.bucket ? seenWords(found.bucket) : "";
  placeTip(x);
  showTile(detail);
});
