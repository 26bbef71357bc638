// The time bar: draws, and turns wheel, pointer and fingers into zooming, panning, seeking and selecting.
// It says what it wants as events: `seek` {moment, isDone}, `select` {start, end} and `view`.
import { AXIS_PX, LANE_PX, LabelColours, TimeBarDrawing } from "./time-bar-drawing.js";

const CLICK_PX = 5; // a pointer that moved less than this has clicked
const GRAB_PX = 10;
const WHEEL_FACTOR = 1.0018;

export class TimeBar extends EventTarget {
  constructor(root, view, data, names) {
    super();
    this.root = root;
    this.view = view;
    this.data = data;
    this.names = names;
    this.canvas = root.querySelector("canvas");
    this.labelColours = new LabelColours();
    this.drawing = new TimeBarDrawing(this.canvas, this.labelColours);
    this.playhead = view.end;
    this.selection = null;
    this.hovered = null;
    this.pointers = new Map();
    this.canvas.style.height = `${AXIS_PX + names.length * LANE_PX}px`;
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => { this.drawing.retheme(); this.redraw(); });
    data.addEventListener("change", () => this.redraw());
    this.listen();
    this.resize();
  }

  resize() {
    this.view.width = Math.max(1, this.canvas.clientWidth);
    this.changed();
  }

  // What is in view has changed.
  changed() {
    this.data.want(this.view);
    this.dispatchEvent(new Event("view"));
    this.redraw();
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      const lanes = this.names.map(({ stream, name }) => ({ ...EMPTY, ...this.data.laneOf(stream), name }));
      const { view, playhead, selection, hovered } = this;
      this.drawing.draw({ view, lanes, bucketMs: this.data.bucketMs ?? 60_000, playhead, selection, hovered });
    });
  }

  say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", (event) => this.release(event, true));
    canvas.addEventListener("pointerleave", () => this.hover(null));
  }

  place(event) {
    const frame = this.canvas.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  }

  wheel(event) {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.view.pan((event.deltaX * unit * this.view.span) / this.view.width);
    else this.view.zoom(WHEEL_FACTOR ** (event.deltaY * unit), this.view.momentAt(this.place(event).x));
    this.changed();
  }

  press(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const place = this.place(event);
    this.pointers.set(event.pointerId, place);
    if (this.pointers.size === 2) {
      this.drag = { kind: "pinch", ...this.fingers() };
      return;
    }
    this.drag = { kind: this.kindOf(event, place), from: place, moment: this.view.momentAt(place.x), isMoved: false };
    if (this.drag.kind === "scrub") this.say("seek", { moment: this.drag.moment, isDone: false });
  }

  kindOf(event, { x, y }) {
    if (event.shiftKey) return "select";
    const edges = this.selection ? [this.selection.start, this.selection.end] : [];
    const grabbed = edges.findIndex((edge) => Math.abs(this.view.xOf(edge) - x) < GRAB_PX);
    if (grabbed >= 0) return grabbed === 0 ? "select-start" : "select-end";
    return y < AXIS_PX || Math.abs(this.view.xOf(this.playhead) - x) < GRAB_PX ? "scrub" : "pan";
  }

  fingers() {
    const [one, other] = [...this.pointers.values()];
    return { distance: Math.max(10, Math.abs(one.x - other.x)), middle: (one.x + other.x) / 2 };
  }

  move(event) {
    const place = this.place(event);
    if (!this.pointers.has(event.pointerId)) {
      this.hover(place);
      return;
    }
    this.pointers.set(event.pointerId, place);
    const { drag } = this;
    if (drag.kind === "pinch") this.pinch();
    else if (drag.isMoved || Math.abs(place.x - drag.from.x) > CLICK_PX) this.dragTo(place);
  }

  pinch() {
    const { distance, middle } = this.fingers();
    const about = this.view.momentAt(this.drag.middle);
    this.view.zoom(this.drag.distance / distance, about);
    this.view.pan(((this.drag.middle - middle) / this.view.width) * this.view.span);
    Object.assign(this.drag, { distance, middle });
    this.changed();
  }

  dragTo(place) {
    const { drag, view } = this;
    const moment = view.momentAt(Math.min(view.width, Math.max(0, place.x)));
    if (drag.kind === "pan") {
      view.pan(((drag.from.x - place.x) / view.width) * view.span);
      drag.from = place;
      this.changed();
    } else if (drag.kind === "scrub") {
      this.say("seek", { moment, isDone: false });
    } else {
      const anchor = { select: drag.moment, "select-start": this.selection?.end, "select-end": this.selection?.start }[drag.kind];
      this.select(Math.min(anchor, moment), Math.max(anchor, moment));
      if (drag.kind !== "select") drag.kind = moment < anchor ? "select-start" : "select-end";
    }
    drag.isMoved = true;
    this.hover(null);
  }

  release(event, isCancelled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { drag } = this;
    this.drag = null;
    if (this.pointers.size) {
      const [place] = this.pointers.values();
      this.drag = { kind: "pan", from: place, moment: this.view.momentAt(place.x), isMoved: true };
      return;
    }
    if (isCancelled || drag.kind === "pinch") return;
    const place = this.place(event);
    if (drag.kind === "scrub") this.say("seek", { moment: this.view.momentAt(place.x), isDone: true });
    else if (!drag.isMoved) this.say("seek", { moment: this.view.momentAt(place.x), isDone: true });
  }

  select(start, end) {
    const stop = Math.min(end, Date.now());
    this.selection = stop > start ? { start, end: stop } : null;
    this.say("select", this.selection);
    this.redraw();
  }

  // Where the pointer is, and over which lane; null: nowhere.
  hover(place) {
    this.hovered = place ? this.view.momentAt(place.x) : null;
    const lane = place && place.y >= AXIS_PX ? Math.floor((place.y - AXIS_PX) / LANE_PX) : 0;
    this.say("hover", place ? { moment: this.hovered, x: place.x, lane: this.names[Math.min(lane, this.names.length - 1)] } : null);
    this.redraw();
  }
}

const EMPTY = { covered: [], gaps: [], recordings: [], buckets: [] };
