// The live wall and the camera page: every tile plays, and the news keeps names, states and marks true.
import { listenToNews } from "./news.js";
import { Tile } from "./tile.js";

const tiles = new Map();
for (const root of document.querySelectorAll(".tile[data-stream]")) {
  if (root.dataset.stream) tiles.set(root.dataset.stream, new Tile(root));
}

function updateSource({ detail: { data } }) {
  if (!data) return;
  for (const tile of tiles.values()) {
    if (tile.root.dataset.source !== data.id) continue;
    if (data.status !== "live") tile.show({ state: data.status, detail: data.status_detail });
  }
}

function updateRecording({ detail: { data } }) {
  const tile = data && tiles.get(data.stream);
  const mark = tile?.root.querySelector(".mark");
  if (mark) mark.hidden = data.state !== "active";
}

document.addEventListener("omma:detection", ({ detail }) => tiles.get(detail.stream_id)?.addDetections(detail));
document.addEventListener("omma:source", updateSource);
document.addEventListener("omma:stream", updateSource);
document.addEventListener("omma:recording", updateRecording);

for (const button of document.querySelectorAll("[data-enlarge]")) {
  button.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else button.closest(".tile").requestFullscreen();
  });
}

if (tiles.size) listenToNews(["stream", "recording", "detection", "camera"]);
