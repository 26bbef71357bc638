// The live wall and the camera page: every tile plays, and the news keeps names, states and marks true.
import { fetchPage } from "./fetched.js";
import { merge } from "./merge.js";
import { listenToNews } from "./news.js";
import { Tile } from "./tile.js";

const REST_MS = 1_000;
const tiles = new Map();
let timer = null;
const place = document.getElementById("wall-place");

function addTile(root) {
  const tile = new Tile(root);
  tiles.set(root.id, tile);
  noteOwnRecording(tile);
  window.htmx?.process(root);
  root.querySelector("[data-enlarge]")?.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen();
  });
}

function ofStream(streamId) {
  return [...tiles.values()].filter((tile) => tile.streamId === streamId);
}

function updateSource({ detail: { data } }) {
  if (!data) return;
  for (const tile of tiles.values()) {
    if (tile.root.dataset.source === data.id) tile.takeSource(data.status, data.status_detail, data.retry_at);
  }
}

// What is being recorded, by id. The page knows of those that somebody started; a rule's make themselves heard.
const growing = new Map();

function noteOwnRecording({ streamId, root }) {
  const id = root.querySelector("[data-stop-recording]")?.dataset.stopRecording;
  if (id) growing.set(id, { id, stream: streamId, state: "active", cause_kind: "user", until: null });
}

function updateRecording({ detail: { id, data } }) {
  const recording = data ?? growing.get(id);
  if (!recording) return;
  if (data?.state === "active") growing.set(id, data);
  else growing.delete(id);
  for (const tile of ofStream(recording.stream)) showRecordings(tile);
}

function showRecordings({ streamId, root }) {
  const current = [...growing.values()].filter(({ stream }) => stream === streamId);
  const own = current.find(({ cause_kind: cause, until }) => cause === "user" && !until);
  root.querySelector(".mark").hidden = !current.length;
  const [start, stop] = [root.querySelector("[data-record]"), root.querySelector("[data-stop-recording]")];
  if (!start || !stop) return;
  if (own) stop.action = `/app/recordings/${own.id}/stop/`;
  start.hidden = Boolean(own);
  stop.hidden = !own;
}

// Cameras come and go: the wall takes in new tiles and drops old ones, and leaves those alone that play.
async function updateWall() {
  const page = await fetchPage();
  const fresh = page.getElementById("wall-place");
  merge(document.getElementById("wall-summary"), page.getElementById("wall-summary"));
  const [wall, newWall] = [place.querySelector(".wall"), fresh.querySelector(".wall")];
  if (!wall || !newWall) {
    for (const tile of tiles.values()) tile.close();
    tiles.clear();
    place.replaceChildren(...fresh.childNodes);
    place.querySelectorAll(".tile").forEach(addTile);
    return;
  }
  wall.dataset.columns = newWall.dataset.columns;
  const wanted = [...newWall.querySelectorAll(".tile")];
  const ids = new Set(wanted.map((root) => root.id));
  for (const root of wanted) {
    const known = tiles.get(root.id);
    if (known) merge(known.root.querySelector(".name"), root.querySelector(".name"));
    else wall.append(root);
    if (!known) addTile(root);
  }
  for (const [id, tile] of tiles) {
    if (ids.has(id)) continue;
    tile.close();
    tile.root.remove();
    tiles.delete(id);
  }
}

function updateWallSoon() {
  if (!place) return;
  clearTimeout(timer);
  timer = setTimeout(() => updateWall().catch(() => {}), REST_MS);
}

document.querySelectorAll(".tile").forEach(addTile);
document.addEventListener("omma:detection", ({ detail }) => {
  for (const tile of ofStream(detail.stream_id)) tile.addDetections(detail);
});
document.addEventListener("omma:source", updateSource);
document.addEventListener("omma:recording", updateRecording);
for (const kind of ["camera", "source", "reset"]) document.addEventListener(`omma:${kind}`, updateWallSoon);
listenToNews(["source", "recording", "detection", "camera"]);
