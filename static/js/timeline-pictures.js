// The buttons on the pictures: larger, with sound, and saving one.
import { playback, players, root } from "./timeline-page.js";

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
