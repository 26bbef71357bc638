// One events socket for the whole page; every message becomes a DOM event `omma:<type>` on the document.
import { LastingSocket } from "./socket.js";

const wanted = new Set();
let cursor = "";
let socket = null;

function address() {
  const query = new URLSearchParams({ topics: [...wanted].join(",") });
  if (cursor) query.set("cursor", cursor);
  return `/ws/v1/events?${query}`;
}

function take(text) {
  const message = JSON.parse(text);
  if (message.cursor) cursor = message.cursor;
  if (message.type === "reset") cursor = "";
  document.dispatchEvent(new CustomEvent(`omma:${message.type}`, { detail: message }));
}

// Several scripts of a page may ask; the socket opens once, when all of them have.
export function listenToNews(topics) {
  for (const topic of topics) wanted.add(topic);
  setTimeout(() => { socket ??= new LastingSocket(address, { message: take }); }, 0);
}
