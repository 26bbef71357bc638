// Small pictures of what was recorded: an hour of a stream as one picture of many tiles, made when somebody asks.
import { HOUR } from "./time-view.js";

const MOST_HOURS = 60; // that are remembered
const AGAIN_MS = 2_000;
const FRESH_MS = 60_000; // an hour that still grows is asked for again

export class Strips {
  constructor() {
    this.known = new Map();
  }

  // The tile nearest before a moment {url, x, y, width, height}, or null while there is none; `ready` is called when
  // asking again is worth it.
  tileAt(streamId, moment, ready) {
    const hour = new Date(moment).toISOString().slice(0, 13);
    const key = `${streamId} ${hour}`;
    const strip = this.known.get(key);
    const isOld = strip && strip.until < moment && Date.now() - strip.askedAt > (strip.tiles ? FRESH_MS : AGAIN_MS);
    if (!strip || isOld) this.ask(key, streamId, hour, ready);
    if (!strip?.tiles) return null;
    const tile = strip.tiles.findLast(({ at }) => at <= moment);
    return tile && moment - tile.at < HOUR / 60 ? { ...tile, ...strip.sprite } : null;
  }

  async ask(key, streamId, hour, ready) {
    if (this.known.size > MOST_HOURS) this.known.delete(this.known.keys().next().value);
    const before = this.known.get(key);
    this.known.set(key, { tiles: null, until: 0, ...before, askedAt: Date.now() });
    const response = await fetch(`/media/v1/streams/${streamId}/strips/${hour}.json`).catch(() => null);
    if (response?.status === 202) {
      setTimeout(ready, AGAIN_MS + 100);
      return;
    }
    if (!response?.ok) return;
    const { until, width, height, sprite_url: address, tiles } = await response.json();
    this.known.set(key, {
      askedAt: Date.now(),
      until: Date.parse(until),
      tiles: tiles.map(({ at, x, y }) => ({ at: Date.parse(at), x, y })),
      sprite: { url: `${address}?until=${encodeURIComponent(until)}`, width, height },
    });
    ready();
  }
}
