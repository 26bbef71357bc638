// To another moment: by the bar, to what comes next, to the newest, to another day, nearer and farther.
import { bar, CLOSE, data, part, playback, say, view } from "./timeline-page.js";
import { writeTiles } from "./timeline-state.js";
import { lengthWords } from "./timeline-words.js";
import { dayOf, HOUR } from "./time-view.js";

export function seek(moment, { isRevealed = true } = {}) {
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
  if (playback.isPlaying && !bar.drag) reveal();
  const end = playback.selectionEnd;
  if (end && playback.moment >= end) {
    playback.selectionEnd = null;
    playback.pause();
  }
});
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
export function hop(kind, direction) {
  const starts = data.lanes.flatMap((lane) => lane[kind].map(({ start }) => start)).sort((one, other) => one - other);
  const found = direction > 0
    ? starts.find((start) => start > playback.moment + 1)
    : starts.findLast((start) => start < playback.moment - (playback.isPlaying ? 1_500 : 1));
  if (found === undefined) say({ covered: "No other footage in view.", gaps: "No other gap in view.", recordings: "No other recording in view." }[kind]);
  else seek(kind === "gaps" ? found + 1 : found);
}

// Where footage ends: ten seconds before it, or where the last stretch begins.
export async function openNewest() {
  view.show(Date.now() - view.span, Date.now());
  bar.changed();
  const newest = await data.newestFootage().catch(() => null);
  seek(newest ? Math.max(newest.start, newest.end - CLOSE) : Date.now(), { isRevealed: false });
}

function showDay(moment) {
  const { start, end } = dayOf(moment);
  view.show(start, Math.min(end, Math.max(Date.now(), start + HOUR)));
  bar.changed();
}

export async function openDay(moment) {
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
export function shownDay() {
  const isInView = view.start <= playback.moment && playback.moment <= view.end;
  return isInView ? playback.moment : (view.start + view.end) / 2;
}

function dayText(moment) {
  const local = new Date(moment);
  const two = (number) => String(number).padStart(2, "0");
  return `${local.getFullYear()}-${two(local.getMonth() + 1)}-${two(local.getDate())}`;
}

export function writeDay() {
  const text = dayText(shownDay());
  if (document.activeElement !== part("day") && part("day").value !== text) part("day").value = text;
  part("next-day").disabled = dayOf(shownDay()).end > Date.now();
  part("span").textContent = lengthWords(view.span);
}

export function zoom(factor) {
  view.zoom(factor, playback.moment > view.start && playback.moment < view.end ? playback.moment : undefined);
  bar.changed();
}

part("day").max = dayText(Date.now());
part("day").addEventListener("change", ({ target }) => { if (target.value) openDay(new Date(`${target.value}T00:00:00`).valueOf()); });
bar.addEventListener("view", writeDay);
playback.addEventListener("time", writeDay);
