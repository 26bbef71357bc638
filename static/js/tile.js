// One tile: the last picture at once, then live video with boxes; its state and reason in words.
import { LivePlayer } from "./live-player.js";
import { Overlay } from "./overlay.js";

const WORDS = {
  connecting: "connecting", live: "live", waiting: "waiting for a picture", reconnecting: "reconnecting",
  failed: "no signal", ended: "ended", stopped: "paused", pending: "starting", unsupported: "live (pictures)",
};

export class Tile {
  constructor(root) {
    this.root = root;
    this.streamId = root.dataset.stream;
    this.video = root.querySelector("video");
    this.canvas = root.querySelector("canvas");
    this.still = root.querySelector(".still");
    this.stateNode = root.querySelector(".state");
    this.whyNode = root.querySelector(".why");
    this.onVisibility = () => (document.hidden ? this.pause() : this.play());
    document.addEventListener("visibilitychange", this.onVisibility);
    if (!document.hidden) this.play();
  }

  play() {
    if (this.player || this.isPictureMode || !this.streamId) return;
    this.player = new LivePlayer(this.video, this.streamId);
    this.player.addEventListener("state", ({ detail }) => this.show(detail));
    this.overlay = new Overlay(this.canvas, this.video, (time) => this.player?.captureTimeAt(time) ?? null);
  }

  pause() {
    this.player?.stop();
    this.overlay?.stop();
    this.player = null;
    this.overlay = null;
  }

  addDetections(message) {
    this.overlay?.add(message);
  }

  show({ state, reason, detail, codec }) {
    if (state === "unsupported") this.showPictures(codec);
    const isLive = state === "live" || state === "unsupported";
    this.root.classList.toggle("is-stale", !isLive);
    if (isLive && state === "live") this.still.hidden = true;
    if (this.stateNode) {
      this.stateNode.className = `state ${isLive ? "live" : state}`;
      this.stateNode.textContent = WORDS[state] ?? state;
    }
    const why = isLive ? "" : detail || reason || "";
    this.whyNode.hidden = !why;
    this.whyNode.textContent = why;
  }

  // H.265 in a browser that cannot play it, or no Media Source Extensions at all.
  showPictures(codec) {
    this.isPictureMode = true;
    this.pause();
    this.still.hidden = false;
    this.still.src = `/media/v1/streams/${this.streamId}/mjpeg?boxes=1&width=1280`;
    this.root.dataset.note = `This browser cannot play ${codec}; pictures are shown instead.`;
    this.root.querySelector(".note")?.replaceChildren(this.root.dataset.note);
  }
}
