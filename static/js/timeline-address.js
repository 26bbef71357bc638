// The address tells it all: the moment, the stretch in view and the selection; copied, it opens the same.
import { bar, playback, say, view } from "./timeline-page.js";
import { SECOND } from "./time-view.js";

const ADDRESS_REST_MS = 400;
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

export async function copyLink() {
  writeAddress();
  try {
    await navigator.clipboard.writeText(window.location.href);
    say("The link is copied.");
  } catch {
    say("The address of this page is the link.");
  }
}

for (const type of ["view", "select"]) bar.addEventListener(type, noteAddress);
playback.addEventListener("time", noteAddress);
