// The timeline page: buttons, keys, and the start. What each of them does is in the modules named timeline-….
import { listenToNews } from "./news.js";
import { copyLink } from "./timeline-address.js";
import { writeGaps, writeLegend } from "./timeline-lists.js";
import { askedMoment, bar, CLOSE, data, part, playback, players, query, root, view } from "./timeline-page.js";
import "./timeline-pictures.js";
import { hop, openDay, openNewest, seek, shownDay, writeDay, zoom } from "./timeline-seeking.js";
import { mark, playSelection, writeSelection } from "./timeline-selection.js";
import { writeState, writeTiles, writeTime } from "./timeline-state.js";
import "./timeline-tip.js";
import { dayOf, HOUR } from "./time-view.js";

const BUTTONS = {
  play: () => playback.toggle(),
  "back-10": () => seek(playback.moment - CLOSE),
  "on-10": () => seek(playback.moment + CLOSE),
  "previous-recording": () => hop("recordings", -1),
  "next-recording": () => hop("recordings", 1),
  "zoom-in": () => zoom(0.5),
  "zoom-out": () => zoom(2),
  "previous-day": () => openDay(dayOf(shownDay()).start - HOUR),
  "next-day": () => openDay(dayOf(shownDay()).end + HOUR),
  newest: () => openNewest(),
  "mark-start": () => mark("start"),
  "mark-end": () => mark("end"),
  "play-selection": () => playSelection(),
  "clear-selection": () => bar.select(0, 0),
  "copy-link": () => copyLink(),
};
for (const button of root.querySelectorAll("button[data-part]")) {
  button.addEventListener("click", () => BUTTONS[button.dataset.part]?.());
}
part("rate").addEventListener("change", ({ target }) => playback.setRate(Number(target.value)));

const KEYS = {
  " ": () => playback.toggle(), k: () => playback.pause(), j: () => playback.shuttle(-1), l: () => playback.shuttle(1),
  ",": () => playback.step(-1), ".": () => playback.step(1),
  ArrowLeft: () => seek(playback.moment - view.span / 100), ArrowRight: () => seek(playback.moment + view.span / 100),
  PageUp: () => seek(playback.moment - view.span / 10), PageDown: () => seek(playback.moment + view.span / 10),
  Home: () => seek(view.start), End: () => openNewest(),
  "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2),
  "[": () => mark("start"), "]": () => mark("end"), Escape: () => bar.select(0, 0),
  g: () => hop("gaps", 1), G: () => hop("gaps", -1), n: () => hop("recordings", 1), p: () => hop("recordings", -1),
};
// Keys belong to the bar and the pictures; what is typed elsewhere stays where it is typed.
document.addEventListener("keydown", (event) => {
  const { target } = event;
  const isElsewhere = target.closest("input, select, textarea, summary, a, [contenteditable]") || (target.closest("button") && event.key === " ");
  if (isElsewhere || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  const isBarsOwn = ["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End", "Escape"].includes(event.key);
  if (isBarsOwn && event.key !== "ArrowLeft" && event.key !== "ArrowRight" && !target.closest("[data-part=bar]")) return;
  event.preventDefault();
  KEYS[event.key]();
});

data.addEventListener("change", () => {
  root.classList.toggle("is-loading", data.state === "loading");
  part("failed").hidden = data.state !== "failed";
  part("nothing").hidden = data.state !== "ready" || data.lanes.some(({ covered }) => covered.length);
  writeLegend();
  writeGaps();
  writeTime();
  writeTiles();
  for (const player of players) player.fill();
});
// Without a moment in the address: the newest footage, and no more time than there is footage of.
data.addEventListener("change", () => {
  if (!Number.isNaN(askedMoment)) return;
  const oldest = Math.min(...data.lanes.flatMap(({ covered }) => covered.map(({ start }) => start)));
  if (Number.isFinite(oldest)) view.show(Date.now() - Math.min(view.span, Math.max(HOUR / 4, (Date.now() - oldest) * 1.1)), Date.now());
  openNewest();
}, { once: true });
part("retry").addEventListener("click", () => data.refresh());
document.addEventListener("omma:recording", () => data.refresh());
document.addEventListener("visibilitychange", () => { if (!document.hidden) data.refresh(); });
setInterval(() => { if (!document.hidden) data.want(view); }, CLOSE);
listenToNews(["recording"]);

const [from, to] = ["from", "to"].map((name) => Date.parse(query.get(name) ?? ""));
if (from < to) bar.select(from, to);
if (!Number.isNaN(askedMoment)) seek(askedMoment, { isRevealed: false });
writeState();
writeDay();
writeSelection();
