// The timeline page: players, time bar, buttons, keys and the selection, and the address that tells it all.
import { FootagePlayer } from "./footage-player.js";
import { listenToNews } from "./news.js";
import { Playback } from "./playback.js";
import { Strips } from "./strips.js";
import { TimeBar } from "./time-bar.js";
import { CAUSES, exact, lengthWords, seenWords } from "./timeline-words.js";
import { TimelineData } from "./timeline-data.js";
import { DAY, dayOf, HOUR, SECOND, TimeView } from "./time-view.js";

const root = document.getElementById("timeline");
const query = new URLSearchParams(window.location.search);
const at = Date.parse(query.get("at") ?? "");
const CLOSE = 10 * SECOND;
const ADDRESS_REST_MS = 400;
const REST_MS = 120;

const tiles = [...document.querySelectorAll("[data-player]")];
const names = tiles.map(({ dataset }) => ({ stream: dataset.stream, name: dataset.name }));
const part = (name) => document.querySelector(`[data-part="${name}"]`);
const data = new TimelineData(names.map(({ stream }) => stream));

// --- What is in view ---------------------------------------------------------------------------------------------
function firstView() {
  const span = Number(query.get("span")) * SECOND || (Number.isNaN(at) ? DAY : HOUR);
  const end = Number.isNaN(at) ? Date.now() : at + span / 2;
  return new TimeView(end - span, end);
}

const view = firstView();
const bar = new TimeBar(part("bar"), view, data, names);
const players = tiles.map((tile) => {
  const player = new FootagePlayer(tile.querySelector("video"), tile.dataset.stream, (start, end) => data.mayHave(tile.dataset.stream, start, end));
  player.tile = tile;
  player.frameMs = SECOND / (Number(tile.dataset.frameRate) || 25);
  player.addEventListener("loaded", () => writeTiles());
  for (const type of ["seeked", "waiting", "playing"]) player.video.addEventListener(type, () => writeTiles());
  return player;
});
const playback = new Playback(players, data);

// --- Words -------------------------------------------------------------------------------------------------------
function stateAt(stream, moment) {
  const found = data.at(stream, moment);
  if (!found) return "";
  if (found.isCovered) return "recorded";
  return found.gap ? `nothing recorded: ${CAUSES[found.gap.cause] ?? found.gap.cause}` : "nothing recorded";
}

function writeTiles() {
  for (const player of players) {
    const why = player.tile.querySelector(".why");
    const has = player.footageAt(playback.moment);
    const gap = has === false ? stateAt(player.streamId, playback.moment) || "nothing recorded" : "";
    const words = player.problem || (gap && gap !== "recorded" ? `${gap[0].toUpperCase()}${gap.slice(1)}` : has === false ? "Nothing recorded" : "");
    if (why.textContent !== words) why.textContent = words;
    why.hidden = !words;
    player.tile.classList.toggle("is-stale", Boolean(words) || player.video.readyState < 2);
    player.tile.classList.toggle("is-empty", has === false);
  }
}

function writeTime() {
  const text = exact(playback.moment);
  part("now").textContent = text;
  part("now").dateTime = new Date(playback.moment).toISOString();
  bar.playhead = playback.moment;
  bar.redraw();
  const slider = part("bar");
  slider.setAttribute("aria-valuenow", String(Math.round(playback.moment / SECOND)));
  slider.setAttribute("aria-valuemin", String(Math.round(view.start / SECOND)));
  slider.setAttribute("aria-valuemax", String(Math.round(view.end / SECOND)));
  slider.setAttribute("aria-valuetext", [text, ...names.map(({ stream, name }) => `${name}: ${stateAt(stream, playback.moment) || "loading"}`)].join(", "));
}

function writeState() {
  const button = part("play");
  button.classList.toggle("is-playing", playback.isPlaying);
  button.querySelector("[data-word]").textContent = playback.isPlaying ? "Pause" : "Play";
  const rate = Math.abs(playback.rate);
  part("rate").value = String(rate);
  part("way").hidden = playback.rate > 0;
}

let saidTimer = null;
function say(words) {
  const node = part("said");
  node.textContent = words;
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { node.textContent = ""; }, 6_000);
}

// --- Seeking and playing -----------------------------------------------------------------------------------------
function seek(moment, { isRevealed = true } = {}) {
  const wasPlaying = playback.isPlaying;
  playback.seek(moment);
  if (isRevealed) reveal();
  if (wasPlaying) playback.play();
  writeTiles();
}

function reveal() {
  const before = view.start;
  view.reveal(playback.moment);
  if (view.start !== before) bar.changed();
}

playback.addEventListener("time", () => {
  writeTime();
  writeDay();
  if (playback.isPlaying && !bar.drag) reveal();
  noteAddress();
  const end = playback.selectionEnd;
  if (end && playback.moment >= end) {
    playback.selectionEnd = null;
    playback.pause();
  }
});
playback.addEventListener("state", writeState);
playback.addEventListener("jump", ({ detail }) => say(`Skipped ${lengthWords(detail.to - detail.from)} without footage.`));
playback.addEventListener("end", () => say("This is the end of what is recorded."));

let scrubTimer = null;
bar.addEventListener("seek", ({ detail: { moment, isDone } }) => {
  bar.playhead = Math.min(moment, Date.now());
  bar.redraw();
  clearTimeout(scrubTimer);
  playback.selectionEnd = null;
  if (isDone) seek(moment, { isRevealed: false });
  else scrubTimer = setTimeout(() => seek(moment, { isRevealed: false }), 80);
});

// The next or previous stretch of `kind` (covered, gaps or recordings) of any camera in what is loaded.
function hop(kind, direction) {
  const starts = data.lanes.flatMap((lane) => lane[kind].map(({ start }) => start)).sort((one, other) => one - other);
  const found = direction > 0
    ? starts.find((start) => start > playback.moment + 1)
    : starts.findLast((start) => start < playback.moment - (playback.isPlaying ? 1_500 : 1));
  if (found === undefined) say({ covered: "No other footage in view.", gaps: "No other gap in view.", recordings: "No other recording in view." }[kind]);
  else seek(kind === "gaps" ? found + 1 : found);
}

// --- The day, the zoom -------------------------------------------------------------------------------------------
function showDay(moment) {
  const { start, end } = dayOf(moment);
  view.show(start, Math.min(end, Math.max(Date.now(), start + HOUR)));
  bar.changed();
}

async function openDay(moment) {
  const { start, end } = dayOf(moment);
  if (start > Date.now()) return;
  showDay(moment);
  const first = await data.nextFootage(start).catch(() => null);
  if (first !== null && first < end) seek(first, { isRevealed: false });
  else {
    seek(start, { isRevealed: false });
    say("Nothing is recorded on this day.");
  }
}

// The day of the moment shown while it is in view, else of the middle of it.
function shownDay() {
  const isInView = view.start <= playback.moment && playback.moment <= view.end;
  return isInView ? playback.moment : (view.start + view.end) / 2;
}

function dayText(moment) {
  const local = new Date(moment);
  const two = (number) => String(number).padStart(2, "0");
  return `${local.getFullYear()}-${two(local.getMonth() + 1)}-${two(local.getDate())}`;
}

function writeDay() {
  const text = dayText(shownDay());
  if (document.activeElement !== part("day") && part("day").value !== text) part("day").value = text;
  part("next-day").disabled = dayOf(shownDay()).end > Date.now();
  part("span").textContent = lengthWords(view.span);
}

function zoom(factor) {
  view.zoom(factor, playback.moment > view.start && playback.moment < view.end ? playback.moment : undefined);
  bar.changed();
}

part("day").max = dayText(Date.now());
part("day").addEventListener("change", ({ target }) => { if (target.value) openDay(new Date(`${target.value}T00:00:00`).valueOf()); });
bar.addEventListener("view", () => { writeDay(); noteAddress(); });

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

// --- The buttons on the pictures ----------------------------------------------------------------------------------
for (const player of players) {
  const { tile, video } = player;
  tile.querySelector("[data-enlarge]").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else tile.requestFullscreen();
  });
  tile.querySelector("[data-sound]")?.addEventListener("click", ({ currentTarget }) => {
    const isOn = video.muted;
    for (const other of players) other.video.muted = other !== player || !isOn;
    for (const button of root.querySelectorAll("[data-sound]")) button.setAttribute("aria-pressed", String(button === currentTarget && isOn));
  });
  const snapshot = tile.querySelector("[data-snapshot]");
  snapshot.addEventListener("click", () => {
    const at = new Date(playback.moment).toISOString();
    snapshot.href = `/media/v1/streams/${player.streamId}/still.jpg?${new URLSearchParams({ at })}`;
    snapshot.download = `${tile.dataset.name} ${at.slice(0, 19).replaceAll(":", "-")}.jpg`;
  });
}

// --- The selection -----------------------------------------------------------------------------------------------
function mark(edge) {
  const { selection } = bar;
  const moment = playback.moment;
  if (edge === "start") bar.select(moment, selection && selection.end > moment ? selection.end : moment + CLOSE);
  else bar.select(selection && selection.start < moment ? selection.start : moment - CLOSE, moment);
  if (!bar.selection) say("Footage of the future cannot be selected.");
}

function playSelection() {
  const { start, end } = bar.selection;
  seek(start);
  playback.setRate(1);
  playback.selectionEnd = end;
  playback.play();
}

function writeSelection() {
  const { selection } = bar;
  part("selection").hidden = !selection;
  part("selection-hint").hidden = Boolean(selection);
  if (!selection) return;
  const [start, end] = [new Date(selection.start).toISOString(), new Date(selection.end).toISOString()];
  part("selection-words").textContent = `${exact(selection.start)} – ${exact(selection.end)} (${lengthWords(selection.end - selection.start)})`;
  for (const field of root.querySelectorAll("input[name=start]")) field.value = start;
  for (const field of root.querySelectorAll("input[name=end]")) field.value = end;
  const isLong = selection.end - selection.start > HOUR;
  part("too-long").hidden = !isLong;
  for (const link of root.querySelectorAll("[data-save]")) {
    link.href = `/media/v1/streams/${link.dataset.save}/video.mp4?${new URLSearchParams({ start, end, download: "1" })}`;
    link.hidden = isLong;
  }
}

bar.addEventListener("select", () => { writeSelection(); noteAddress(); });

async function copyLink() {
  writeAddress();
  try {
    await navigator.clipboard.writeText(window.location.href);
    say("The link is copied.");
  } catch {
    say("The address of this page is the link.");
  }
}

// --- What the pointer is over ------------------------------------------------------------------------------------
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

// --- Lists below the bar -----------------------------------------------------------------------------------------
function writeLegend() {
  const labels = new Set(data.lanes.flatMap(({ buckets }) => buckets.flatMap(({ labels: seen }) => Object.keys(seen))));
  labels.delete("motion");
  const key = [...labels].sort().join();
  const list = part("labels");
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...[...labels].sort().map((label) => {
    const item = document.createElement("span");
    item.className = `key label-${bar.labelColours.numberOf(label)}`;
    item.textContent = label;
    return item;
  }));
}

const MOST_GAPS = 100;
function writeGaps() {
  const inView = ({ start, end }) => start < view.end && end > view.start;
  const gaps = names.flatMap(({ stream, name }) => (data.laneOf(stream)?.gaps ?? []).filter(inView).map((gap) => ({ ...gap, name })));
  gaps.sort((one, other) => other.start - one.start);
  part("gap-count").textContent = String(gaps.length);
  if (!part("gaps").open) return;
  part("gap-rows").replaceChildren(...gaps.slice(0, MOST_GAPS).map(gapRow));
  part("no-gaps").hidden = gaps.length > 0;
}

function gapRow(gap) {
  const row = document.createElement("tr");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button plain";
  button.textContent = exact(gap.start);
  button.addEventListener("click", () => seek(gap.start + 1));
  const cells = [button, gap.name, `${CAUSES[gap.cause] ?? gap.cause}${gap.count > 1 ? ` (${gap.count})` : ""}`, lengthWords(gap.gap_s * SECOND)];
  row.append(...cells.map((content) => {
    const cell = document.createElement("td");
    cell.append(content);
    return cell;
  }));
  return row;
}
part("gaps").addEventListener("toggle", writeGaps);
bar.addEventListener("view", writeGaps);

// --- The address, the news, the start ----------------------------------------------------------------------------
let addressTimer = null;
function noteAddress() {
  addressTimer ??= setTimeout(writeAddress, ADDRESS_REST_MS);
}

function writeAddress() {
  clearTimeout(addressTimer);
  addressTimer = null;
  const now = new URLSearchParams(window.location.search);
  now.set("at", new Date(playback.moment).toISOString());
  now.set("span", String(Math.round(view.span / SECOND)));
  for (const edge of ["from", "to"]) now.delete(edge);
  if (bar.selection) {
    now.set("from", new Date(bar.selection.start).toISOString());
    now.set("to", new Date(bar.selection.end).toISOString());
  }
  history.replaceState(null, "", `?${now}`);
  for (const name of ["at", "span"]) {
    for (const field of document.querySelectorAll(`[data-choice] input[name=${name}]`)) field.value = now.get(name);
  }
}

// Where footage ends: ten seconds before it, or where the last stretch begins.
async function openNewest() {
  view.show(Date.now() - view.span, Date.now());
  bar.changed();
  const newest = await data.newestFootage().catch(() => null);
  seek(newest ? Math.max(newest.start, newest.end - CLOSE) : Date.now(), { isRevealed: false });
}

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
  if (!Number.isNaN(at)) return;
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
if (!Number.isNaN(at)) seek(at, { isRevealed: false });
writeState();
writeDay();
writeSelection();
