// What the timeline page says: under each picture, beside the bar and on the buttons.
import { bar, names, part, playback, players, stateAt, view } from "./timeline-page.js";
import { exact } from "./timeline-words.js";
import { SECOND } from "./time-view.js";

export function writeTiles() {
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

export function writeTime() {
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

export function writeState() {
  const button = part("play");
  button.classList.toggle("is-playing", playback.isPlaying);
  button.querySelector("[data-word]").textContent = playback.isPlaying ? "Pause" : "Play";
  const rate = Math.abs(playback.rate);
  part("rate").value = String(rate);
  part("way").hidden = playback.rate > 0;
}

for (const player of players) {
  player.addEventListener("loaded", writeTiles);
  for (const type of ["seeked", "waiting", "playing"]) player.video.addEventListener(type, writeTiles);
}
playback.addEventListener("time", writeTime);
playback.addEventListener("state", writeState);
