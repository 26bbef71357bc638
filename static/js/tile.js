// One tile: the last picture at once, then live video with boxes; its state and reason in words.
import { LivePlayer } from "./live-player.js";
import { Overlay } from "./overlay.js";

const SOURCE_WORDS = {
  pending: "starting", connecting: "connecting", live: "waiting for a picture", reconnecting: "reconnecting",
  failed: "no signal", ended: "ended", stopped: "paused",
};
const REFUSALS = { 4401: "Your login has ended: log in again.", 4403: "You may not see this.", 4404: "This camera is gone." };
const TICK_MS = 1_000;

export class Tile {
  constructor(root) {
    this.root = root;
    this.streamId = root.dataset.stream;
    this.video = root.querySelector("video");
    this.canvas = root.querySelector("canvas");
    this.still = root.querySelector(".still");
    this.stateNode = root.querySelector(".state");
    this.whyNode = root.querySelector(".why");
    this.source = { status: root.dataset.status, reason: this.whyNode.textContent, retryAt: Date.parse(root.dataset.retryAt ?? "") };
    this.link = { state: "waiting" };
    this.onVisibility = () => (document.hidden ? this.pause() : this.play());
    document.addEventListener("visibilitychange", this.onVisibility);
    if (!document.hidden) this.play();
  }

  play() {
    if (this.player || this.isPictureMode || !this.streamId) return;
    if (this.wasPaused && this.still.src) this.still.src = `${this.still.src.split("&again")[0]}&again=${Date.now()}`;
    this.player = new LivePlayer(this.video, this.streamId);
    this.player.addEventListener("state", ({ detail }) => this.takeLink(detail));
    this.player.addEventListener("source", ({ detail }) => this.takeSource(detail.state, detail.reason));
    this.overlay = new Overlay(this.canvas, this.video, (time) => this.player?.captureTimeAt(time) ?? null);
  }

  pause() {
    this.player?.stop();
    this.overlay?.stop();
    this.player = null;
    this.overlay = null;
    this.wasPaused = true;
    if (!this.isPictureMode) this.takeLink({ state: "waiting" });
  }

  close() {
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.pause();
  }

  addDetections(message) {
    this.overlay?.add(message);
  }

  // How the source is, as the server says; the picture itself knows better while it moves.
  takeSource(status, reason, retryAt) {
    const isSame = status === this.source.status;
    this.source = { status, reason, retryAt: retryAt ? Date.parse(retryAt) : isSame ? this.source.retryAt : Number.NaN };
    if (status !== "live" && this.link.state === "live") {
      this.link = { state: "waiting" };
      this.player?.expectPicture();
    }
    this.render();
  }

  takeLink({ state, reason, code, retryInMs }) {
    this.link = { state, reason, code, until: retryInMs ? Date.now() + retryInMs : 0 };
    if (state === "unsupported") this.showPictures(reason);
    this.render();
  }

  render() {
    clearTimeout(this.timer);
    const { word, look, why } = this.words();
    this.root.classList.toggle("is-stale", look !== "live");
    this.still.hidden = !this.still.src || (look === "live" && !this.isPictureMode);
    this.stateNode.className = `state ${look}`;
    if (this.stateNode.textContent !== word) this.stateNode.textContent = word;
    this.whyNode.hidden = !why;
    this.whyNode.textContent = why;
    if (this.link.state === "down" || this.secondsToRetry()) this.timer = setTimeout(() => this.render(), TICK_MS);
  }

  words() {
    const { state, code, until } = this.link;
    if (state === "live") return { word: "live", look: "live", why: "" };
    if (state === "refused") return { word: "no picture", look: "failed", why: REFUSALS[code] ?? "" };
    if (state === "down") {
      const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
      return { word: `reconnecting in ${seconds} s`, look: "reconnecting", why: "The connection to Omma is lost." };
    }
    const { status, reason } = this.source;
    if (this.isPictureMode && status === "live") return { word: "live, as pictures", look: "live", why: "" };
    const isQuiet = status === "live" || status === "connecting" || status === "pending";
    const seconds = this.secondsToRetry();
    const why = [reason, seconds ? `next try in ${seconds} s` : ""].filter(Boolean).join(", ");
    return { word: SOURCE_WORDS[status] ?? status, look: isQuiet ? "connecting" : status, why };
  }

  // How long until Omma tries a camera again that is away; 0 where that is not known, or now.
  secondsToRetry() {
    const { status, retryAt } = this.source;
    if (status !== "reconnecting" && status !== "failed") return 0;
    return Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) || 0;
  }

  // H.265 in a browser that cannot play it, or no Media Source Extensions at all.
  showPictures(reason) {
    this.isPictureMode = true;
    this.pause();
    this.video.hidden = true;
    this.still.hidden = false;
    this.still.loading = "eager";
    this.still.src = `/media/v1/streams/${this.streamId}/mjpeg?boxes=1&width=1280`;
    const note = document.querySelector(".note");
    if (!note || !this.root.classList.contains("big")) return;
    note.textContent = `${reason} Pictures are shown instead.`;
    note.hidden = false;
  }
}
