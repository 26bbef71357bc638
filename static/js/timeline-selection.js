// The selection: its two ends, what is offered for it, and playing it.
import { bar, CLOSE, part, playback, root, say } from "./timeline-page.js";
import { seek } from "./timeline-seeking.js";
import { exact, lengthWords } from "./timeline-words.js";
import { HOUR } from "./time-view.js";

export function mark(edge) {
  const { selection } = bar;
  const moment = playback.moment;
  if (edge === "start") bar.select(moment, selection && selection.end > moment ? selection.end : moment + CLOSE);
  else bar.select(selection && selection.start < moment ? selection.start : moment - CLOSE, moment);
  if (!bar.selection) say("Footage of the future cannot be selected.");
}

export function playSelection() {
  const { start, end } = bar.selection;
  seek(start);
  playback.setRate(1);
  playback.selectionEnd = end;
  playback.play();
}

export function writeSelection() {
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

bar.addEventListener("select", writeSelection);
