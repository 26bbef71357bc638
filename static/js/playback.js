// One clock for several players: it follows a player that runs, the others follow it, and holes of all are jumped.
import { SECOND } from "./time-view.js";

const TICK_MS = 100;
const DRIFT_MS = 350; // a player further off than this is set again
const BACK_MS = 250; // how often the picture changes while it plays backwards
const RATES = [0.25, 0.5, 1, 2, 4, 8, 16];

export class Playback extends EventTarget {
  constructor(players, data) {
    super();
    this.players = players;
    this.data = data;
    this.moment = Date.now();
    this.isPlaying = false;
    this.rate = 1; // below 0: backwards
    setInterval(() => this.tick(), TICK_MS);
  }

  say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  seek(moment) {
    this.moment = Math.min(moment, Date.now());
    this.isJumping = false;
    for (const player of this.players) {
      player.video.pause();
      player.seek(this.moment);
    }
    this.say("time");
  }

  play() {
    this.isPlaying = true;
    this.say("state");
    this.tick();
  }

  pause() {
    this.isPlaying = false;
    if (this.rate < 0) this.rate = 1;
    for (const { video } of this.players) video.pause();
    this.say("state");
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  setRate(rate) {
    this.rate = rate;
    for (const { video } of this.players) {
      video.playbackRate = Math.max(RATES[0], Math.abs(rate));
      if (rate < 0) video.pause();
    }
    this.say("state");
  }

  // J and L: play that way, faster at each press.
  shuttle(direction) {
    const isSameWay = this.isPlaying && Math.sign(this.rate) === direction;
    const speed = isSameWay ? Math.min(16, Math.abs(this.rate) * 2) : 1;
    this.setRate(direction * Math.max(1, speed));
    if (!this.isPlaying) this.play();
  }

  step(frames) {
    this.pause();
    const [{ frameMs }] = this.players;
    this.seek(this.moment + frames * frameMs);
  }

  tick() {
    if (!this.isPlaying || document.hidden) {
      for (const player of this.players) if (!player.video.paused) player.video.pause();
      return;
    }
    if (this.rate < 0) {
      this.tickBack();
      return;
    }
    const leader = this.players.find((player) => player.isRunning && Math.abs(player.wall - this.moment) < 5 * SECOND * this.rate);
    if (leader) this.follow(leader);
    else if (this.players.every((player) => player.footageAt(this.moment) === false)) this.jump();
    for (const player of this.players) player.fill();
  }

  follow(leader) {
    if (!leader.video.paused) this.moment = leader.wall;
    for (const player of this.players) {
      const has = player.footageAt(this.moment);
      if (has === false) player.video.pause();
      else if (player !== leader && Math.abs(player.wall - this.moment) > DRIFT_MS * Math.max(1, this.rate)) player.seek(this.moment);
      if (has && player.isLoadedAt(this.moment) && player.video.paused) player.video.play().catch(() => {});
      if (player.video.playbackRate !== this.rate) player.video.playbackRate = this.rate;
    }
    if (leader.nextKnown(this.moment) === null && leader.video.readyState < 3) leader.fill();
    this.say("time");
  }

  tickBack() {
    if (Date.now() - (this.wentBackAt ?? 0) < BACK_MS || this.players.some(({ video }) => video.seeking)) return;
    this.wentBackAt = Date.now();
    const { rate } = this;
    this.seek(this.moment + rate * BACK_MS);
  }

  // No camera has anything here: go on where the next footage begins, or stop at the end of it.
  async jump() {
    if (this.isJumping) return;
    this.isJumping = true;
    const from = this.moment;
    const next = await this.data.nextFootage(from).catch(() => null);
    if (!this.isJumping || this.moment !== from) return;
    this.isJumping = false;
    if (next === null) {
      this.pause();
      this.say("end");
      return;
    }
    this.seek(Math.max(next, from + 1));
    if (next - from > SECOND) this.say("jump", { from, to: next });
  }
}
