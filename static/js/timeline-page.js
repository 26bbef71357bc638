// What the timeline page is made of, for the modules that each do one thing with it; there is one such page at a time.
import { FootagePlayer } from "./footage-player.js";
import { Playback } from "./playback.js";
import { TimeBar } from "./time-bar.js";
import { CAUSES } from "./timeline-words.js";
import { TimelineData } from "./timeline-data.js";
import { DAY, HOUR, SECOND, TimeView } from "./time-view.js";

export const CLOSE = 10 * SECOND;
export const root = document.getElementById("timeline");
export const query = new URLSearchParams(window.location.search);
export const askedMoment = Date.parse(query.get("at") ?? ""); // not a number where the address has none

const tiles = [...document.querySelectorAll("[data-player]")];
export const names = tiles.map(({ dataset }) => ({ stream: dataset.stream, name: dataset.name }));
export const part = (name) => document.querySelector(`[data-part="${name}"]`);
export const data = new TimelineData(names.map(({ stream }) => stream));

function firstView() {
  const isAsked = !Number.isNaN(askedMoment);
  const span = Number(query.get("span")) * SECOND || (isAsked ? HOUR : DAY);
  const end = isAsked ? askedMoment + span / 2 : Date.now();
  return new TimeView(end - span, end);
}

export const view = firstView();
export const bar = new TimeBar(part("bar"), view, data, names);
export const players = tiles.map((tile) => {
  const player = new FootagePlayer(tile.querySelector("video"), tile.dataset.stream, (start, end) => data.mayHave(tile.dataset.stream, start, end));
  player.tile = tile;
  player.frameMs = SECOND / (Number(tile.dataset.frameRate) || 25);
  return player;
});
export const playback = new Playback(players, data);

export function stateAt(stream, moment) {
  const found = data.at(stream, moment);
  if (!found) return "";
  if (found.isCovered) return "recorded";
  return found.gap ? `nothing recorded: ${CAUSES[found.gap.cause] ?? found.gap.cause}` : "nothing recorded";
}

let saidTimer = null;
export function say(words) {
  const node = part("said");
  node.textContent = words;
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { node.textContent = ""; }, 6_000);
}
