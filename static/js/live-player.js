// Live video in a <video>: fMP4 over a WebSocket into Media Source Extensions, with credits and a short buffer.
// The source's own state comes the same way, as `source` events.
import { LastingSocket } from "./socket.js";
import { readDecodeTime, readTimeScale } from "./fragments.js";

const TIME_PREFIX_BYTES = 8;
const FIRST_CREDITS = 4;
const LATE_S = 1.2; // further behind than this: jump to the edge
const EDGE_S = 0.12; // how far behind the newest frame the picture stays
const KEEP_S = 8; // what stays in the buffer behind the picture
const CLOCK_POINTS = 64;

export class LivePlayer extends EventTarget {
  constructor(video, streamId) {
    super();
    this.video = video;
    this.streamId = streamId;
    this.queue = [];
    this.clock = []; // pairs of media time and capture time, newest last
    this.start();
  }

  start() {
    this.state = "";
    this.socket = new LastingSocket(() => `/ws/v1/live/${this.streamId}`, {
      open: () => this.say("waiting"),
      message: (data) => (typeof data === "string" ? this.takeWord(JSON.parse(data)) : this.takeMedia(data)),
      down: ({ isFinal, code, retryInMs }) => this.say(isFinal ? "refused" : "down", { code, retryInMs }),
    });
  }

  stop() {
    this.socket.close();
    this.closeSource();
  }

  // `state` is live, waiting, down, refused or unsupported; what is said twice in a row is said once.
  say(state, detail = {}) {
    if (state === this.state && state !== "down") return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, ...detail } }));
  }

  // Say `live` again at the next picture.
  expectPicture() {
    this.state = "waiting";
  }

  takeWord(message) {
    if (message.type === "hello") this.openSource(message);
    else if (message.type === "waiting" && message.state === "unsupported") this.giveUp(message.reason);
    else if (message.type === "waiting") this.say("waiting");
    else if (message.type === "state") this.dispatchEvent(new CustomEvent("source", { detail: message }));
  }

  openSource({ codec }) {
    const type = `video/mp4; codecs="${codec}"`;
    if (!window.MediaSource || !MediaSource.isTypeSupported(type)) {
      this.giveUp(`This browser cannot play ${codec}.`);
      return;
    }
    this.closeSource();
    const source = new MediaSource();
    this.source = source;
    this.address = URL.createObjectURL(source);
    this.video.src = this.address;
    source.addEventListener("sourceopen", () => {
      if (source !== this.source) return;
      URL.revokeObjectURL(this.address);
      this.address = null;
      this.buffer = source.addSourceBuffer(type);
      this.buffer.addEventListener("updateend", () => this.afterAppend());
      this.buffer.addEventListener("error", () => this.restart());
      this.socket.send({ credit: FIRST_CREDITS });
      this.append();
    }, { once: true });
  }

  // Neither this browser nor this way of sending can show the video as such: pictures take its place.
  giveUp(reason) {
    this.socket.close();
    this.say("unsupported", { reason });
  }

  closeSource() {
    if (this.address) { // it never opened
      this.video.removeAttribute("src");
      URL.revokeObjectURL(this.address);
    }
    this.queue = [];
    this.clock = [];
    this.buffer = null;
    this.source = null;
    this.address = null;
  }

  restart() {
    this.stop();
    this.start();
  }

  takeMedia(data) {
    const captureUs = Number(new DataView(data).getBigUint64(0));
    const media = new Uint8Array(data, TIME_PREFIX_BYTES);
    if (captureUs === 0) {
      this.timeScale = readTimeScale(media) || 1;
    } else {
      const decodeTime = readDecodeTime(media);
      if (decodeTime !== null) this.clock.push([decodeTime / this.timeScale, captureUs]);
      if (this.clock.length > CLOCK_POINTS) this.clock.shift();
    }
    this.queue.push({ media, isInit: captureUs === 0 });
    this.append();
  }

  append() {
    if (!this.buffer || this.buffer.updating || !this.queue.length || this.source.readyState !== "open") return;
    const { media, isInit } = this.queue.shift();
    this.wasInit = isInit;
    try {
      this.buffer.appendBuffer(media);
    } catch {
      this.restart();
    }
  }

  afterAppend() {
    if (!this.buffer) return;
    if (!this.wasInit) this.socket.send({ credit: 1 });
    this.follow();
    const { buffered } = this.buffer;
    const oldest = this.video.currentTime - KEEP_S;
    if (buffered.length && !this.buffer.updating && buffered.start(0) < oldest - KEEP_S) {
      this.wasInit = true; // a removal earns no credit
      this.buffer.remove(0, oldest);
      return;
    }
    this.append();
  }

  follow() {
    const { buffered } = this.video;
    if (!buffered.length) return;
    const edge = buffered.end(buffered.length - 1);
    const start = buffered.start(buffered.length - 1);
    const isOutside = this.video.currentTime < start || this.video.currentTime > edge;
    const lateness = edge - this.video.currentTime;
    if (isOutside || lateness > LATE_S) this.video.currentTime = Math.max(start, edge - EDGE_S);
    this.video.playbackRate = lateness > 3 * EDGE_S ? 1.08 : 1;
    if (this.video.paused) this.video.play().catch(() => {});
    this.say("live");
  }

  // The capture time, in microseconds, of what is on screen at a media time (or null before the first picture).
  captureTimeAt(mediaTime) {
    for (let index = this.clock.length - 1; index >= 0; index -= 1) {
      const [at, captureUs] = this.clock[index];
      if (at <= mediaTime + 0.001) return captureUs + Math.round((mediaTime - at) * 1e6);
    }
    return null;
  }
}
