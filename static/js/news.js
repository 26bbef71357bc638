// One events socket for the whole page; every message becomes a DOM event `omma:<type>` on the document.
import { LastingSocket } from "./socket.js";

export function listenToNews(topics) {
  let cursor = "";
  const address = () => {
    const query = new URLSearchParams({ topics: topics.join(",") });
    if (cursor) query.set("cursor", cursor);
    return `/ws/v1/events?${query}`;
  };
  return new LastingSocket(address, {
    message(text) {
      const message = JSON.parse(text);
      if (message.cursor) cursor = message.cursor;
      if (message.type === "reset") cursor = "";
      document.dispatchEvent(new CustomEvent(`omma:${message.type}`, { detail: message }));
    },
  });
}
