// Plays what was recorded of one stream by the clock on the wall: a <video> whose time 0 is `baseMs`, filled through
// Media Source Extensions with the byte ranges of Omma's playlists. Holes are holes: nothing is moved together.
import { readStart, readTracks } from "./fragments.js";
import { readPlaylist } from "./playlist.js";
import { DAY, MINUTE, SECOND } from "./time-view.js";

const WINDOW = 2 * MINUTE; // how much of a playlist is asked for at once
const AHEAD_S = 12; // how much is loaded ahead, times the speed
const BEHIND_S = 30; // what stays behind the picture
const DRIFT_S = 0.2; // a file's clock may lie this far off before it is set again
const EDGE_REST_MS = 2_000; // how soon an end that grows is asked for again
const NEAR = 250; // pictures this near a moment show it

const Source = window.ManagedMediaSource ?? window.MediaSource;

export class FootagePlayer extends EventTarget {
  // `mayHave(start, end)` says whether it is worth asking for footage: false, true, or null for "wait".
  constructor(video, streamId, mayHave) {
    super();
    this.mayHave = mayHave;
    this.video = video;
    this.streamId = streamId;
    this.inits = new Map();
    this.problem = Source ? "" : "This browser cannot play footage here.";
    video.disableRemotePlayback = true; // what ManagedMediaSource asks for
  }

  get wall() {
    return this.baseMs + this.video.currentTime * SECOND;
  }

  // Show a moment; what is not loaded is loaded.
  seek(moment) {
    this.target = moment;
    if (this.problem && !Source) return;
    if (!this.source || moment < this.baseMs || moment > this.baseMs + 8 * DAY) this.open(moment);
    this.video.currentTime = (moment - this.baseMs) / SECOND;
    if (!this.isLoadedAt(moment)) this.restartAt(moment);
    this.fill();
  }

  open(moment) {
    this.close();
    this.baseMs = moment - DAY;
    const source = new Source();
    this.source = source;
    this.video.src = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      if (source !== this.source) return;
      URL.revokeObjectURL(this.video.src);
      source.duration = (10 * DAY) / SECOND;
      this.video.currentTime = (this.target - this.baseMs) / SECOND;
      this.fill();
    }, { once: true });
  }

  close() {
    this.question?.abort();
    this.source = null;
    this.buffer = null;
    this.map = null;
    this.entries = [];
    this.known = null;
  }

  restartAt(moment) {
    this.question?.abort();
    this.isFilling = false;
    const known = this.footageAt(moment);
    if (known === null || known === false) {
      this.entries = [];
      this.known = null;
    }
    this.cursor = moment;
  }

  isLoadedAt(moment) {
    const at = (moment - this.baseMs) / SECOND;
    const { buffered } = this.video;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= at + 0.05 && at < buffered.end(index) - 0.05) return true;
    }
    return false;
  }

  // Whether there is footage at a moment: true, false, or null while nobody has asked.
  footageAt(moment) {
    if (this.entries?.some(({ start, end }) => start <= moment + NEAR && moment < end)) return true;
    return this.known && this.known.start <= moment && moment < this.known.end ? false : null;
  }

  // The next moment with footage that is known of, or null.
  nextKnown(moment) {
    return this.entries?.find(({ start }) => start > moment)?.start ?? null;
  }

  get isRunning() {
    return this.video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && !this.video.seeking && this.isLoadedAt(this.wall);
  }

  async fill() {
    if (this.isFilling || this.source?.readyState !== "open" || this.isRefused) return;
    this.isFilling = true;
    const question = new AbortController();
    this.question = question;
    try {
      while (await this.fillOne(question.signal)) this.dispatchEvent(new Event("loaded"));
      if (!question.signal.aborted) this.say("");
    } catch (error) {
      if (!question.signal.aborted) this.say(error.message);
    } finally {
      if (this.question === question) this.isFilling = false;
    }
  }

  say(problem) {
    if (problem === this.problem) return;
    this.problem = problem;
    this.dispatchEvent(new Event("loaded"));
  }

  // Load the next piece, if one is wanted and there is one; tells whether to go on.
  async fillOne(signal) {
    const aheadUntil = Math.max(this.wall, this.target ?? 0) + AHEAD_S * SECOND * Math.max(1, this.video.playbackRate);
    if (this.cursor > aheadUntil) return false;
    const entry = this.entries.find(({ end }) => end > this.cursor + 1);
    if (!entry) return this.lookFurther(signal);
    if (entry.start > aheadUntil) return false;
    await this.append(entry, signal);
    this.cursor = entry.end;
    return true;
  }

  async lookFurther(signal) {
    const now = Date.now();
    const from = this.known ? Math.max(this.cursor, Math.min(this.known.end, now)) : this.cursor;
    const isAtEdge = from >= now - EDGE_REST_MS;
    if (isAtEdge && now - (this.askedAt ?? 0) < EDGE_REST_MS) return false;
    const until = Math.max(from, this.cursor) + WINDOW;
    const mayHave = this.mayHave(this.cursor, until);
    if (mayHave === null) return false;
    this.askedAt = now;
    const found = mayHave ? await this.playlist(this.cursor, until, signal) : [];
    const fresh = found.filter(({ end }) => end > this.cursor + 1);
    this.entries = [...this.entries.filter(({ end }) => end > this.cursor - MINUTE && end <= this.cursor + 1), ...fresh];
    this.known = { start: this.known ? Math.min(this.known.start, this.cursor) : this.cursor, end: Math.min(from + WINDOW, now) };
    return fresh.length > 0;
  }

  async playlist(start, end, signal) {
    const query = new URLSearchParams({ start: new Date(start).toISOString(), end: new Date(end).toISOString() });
    const response = await fetch(`/media/v1/streams/${this.streamId}/playlist.m3u8?${query}`, { signal });
    if (response.status === 404) return [];
    if (!response.ok) throw new Error(`The footage cannot be read (${response.status}).`);
    return readPlaylist(await response.text());
  }

  async append(entry, signal) {
    const [init, media] = await Promise.all([this.initOf(entry.map, signal), bytes(entry, signal)]);
    const tracks = readTracks(init);
    const type = `video/mp4; codecs="${tracks.map(({ codec }) => codec).join(", ")}"`;
    if (!Source.isTypeSupported(type)) {
      this.isRefused = true;
      throw new Error(`This browser cannot play ${tracks[0]?.codec}: save it instead.`);
    }
    await this.settled(signal);
    this.buffer ??= this.source.addSourceBuffer(type);
    if (this.map !== entry.map.url) {
      if (this.type && this.type !== type) this.buffer.changeType(type);
      await this.give(init, signal);
      this.map = entry.map.url;
      this.offset = null;
    }
    this.type = type;
    const wanted = (entry.start - this.baseMs) / SECOND - (readStart(media, tracks) ?? 0);
    if (this.offset === null || Math.abs(this.offset - wanted) > DRIFT_S) this.offset = wanted;
    if (this.buffer.timestampOffset !== this.offset) this.buffer.timestampOffset = this.offset;
    await this.give(media, signal);
    await this.forget(signal);
  }

  async initOf(map, signal) {
    if (!this.inits.has(map.url)) {
      if (this.inits.size > 50) this.inits.clear();
      this.inits.set(map.url, await bytes(map, signal));
    }
    return this.inits.get(map.url);
  }

  async give(data, signal) {
    await this.settled(signal);
    this.buffer.appendBuffer(data);
    await this.settled(signal);
  }

  // Drop what lies far behind, or far ahead after a jump back.
  async forget(signal) {
    const { buffered } = this.video;
    const at = this.video.currentTime;
    for (let index = 0; index < buffered.length; index += 1) {
      const [start, end] = [buffered.start(index), buffered.end(index)];
      if (end - start > BEHIND_S && start < at - 2 * BEHIND_S) this.buffer.remove(start, Math.min(end, at - BEHIND_S));
      else if (start > at + 10 * BEHIND_S) this.buffer.remove(start, end);
      else continue;
      await this.settled(signal);
      return;
    }
  }

  // Wait until the buffer takes something in; a question that was dropped ends here.
  settled(signal) {
    if (signal.aborted) throw signal.reason;
    if (!this.buffer?.updating) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.buffer.addEventListener("updateend", () => (signal.aborted ? reject(signal.reason) : resolve()), { once: true });
    });
  }
}

async function bytes({ url, offset, size }, signal) {
  const response = await fetch(url, { signal, headers: { Range: `bytes=${offset}-${offset + size - 1}` } });
  if (!response.ok) throw new Error(`The footage cannot be read (${response.status}).`);
  return new Uint8Array(await response.arrayBuffer());
}
