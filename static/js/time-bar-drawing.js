// Draws the time bar on a canvas: the labels of time, a lane per camera, the selection, and the moment shown.
import { DAY, HOUR, MINUTE } from "./time-view.js";

export const AXIS_PX = 26;
export const LANE_PX = 46;
const BAND_PX = 12; // coverage, at the bottom of a lane
const HEAT_PX = 18; // motion, above it
const TICK_PX = 3; // a label's mark, above that
const COLOURS = [
  "ground", "surface", "raised", "line", "line-strong", "text", "text-soft", "accent", "danger", "cover", "gap", "heat", "on-picture",
  "label-1", "label-2", "label-3", "label-4", "label-5", "label-6",
];

const locale = document.documentElement.lang || "en";
const two = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const FORMATS = {
  day: new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short" }),
  minute: new Intl.DateTimeFormat(locale, two),
  second: new Intl.DateTimeFormat(locale, { ...two, second: "2-digit" }),
};

function labelOf(moment, step) {
  const at = new Date(moment);
  if (step >= DAY || (at.getHours() === 0 && at.getMinutes() === 0 && step >= HOUR)) return FORMATS.day.format(at);
  return (step < MINUTE ? FORMATS.second : FORMATS.minute).format(at);
}

// Colours as the theme has them now.
export function readColours(root) {
  const style = getComputedStyle(root);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// Which of the six colours a label has: the order in which labels came up on this page.
export class LabelColours {
  constructor() {
    this.order = [];
  }

  numberOf(label) {
    if (!this.order.includes(label)) this.order.push(label);
    return (this.order.indexOf(label) % 6) + 1;
  }
}

export class TimeBarDrawing {
  constructor(canvas, labelColours) {
    this.canvas = canvas;
    this.brush = canvas.getContext("2d");
    this.labelColours = labelColours;
    this.hatch = null;
    this.retheme();
  }

  retheme() {
    this.colours = readColours(this.canvas);
    this.hatch = this.makeHatch();
  }

  makeHatch() {
    const tile = document.createElement("canvas");
    tile.width = 8;
    tile.height = 8;
    const brush = tile.getContext("2d");
    brush.strokeStyle = this.colours.gap;
    brush.lineWidth = 2;
    for (const shift of [-8, 0, 8]) {
      brush.beginPath();
      brush.moveTo(shift, 8);
      brush.lineTo(shift + 8, 0);
      brush.stroke();
    }
    return this.brush.createPattern(tile, "repeat");
  }

  // `lanes` are those of TimelineData by camera, with a name each; all else as its name says.
  draw({ view, lanes, bucketMs, playhead, selection, hovered }) {
    const { canvas, brush } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [view.width, AXIS_PX + lanes.length * LANE_PX];
    const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
      Object.assign(canvas, { width: pixelWidth, height: pixelHeight });
    }
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    brush.clearRect(0, 0, width, height);
    this.drawAxis(view, height);
    lanes.forEach((lane, index) => this.drawLane(lane, AXIS_PX + index * LANE_PX, view, bucketMs));
    this.drawFuture(view, height);
    if (selection) this.drawSelection(selection, view, height);
    if (hovered !== null) this.drawLine(view.xOf(hovered), height, this.colours["line-strong"], 1);
    this.drawPlayhead(view.xOf(playhead), height);
  }

  drawAxis(view, height) {
    const { brush, colours } = this;
    const step = view.step();
    brush.font = "12px system-ui, sans-serif";
    brush.textBaseline = "middle";
    for (const moment of view.ticks()) {
      const x = Math.round(view.xOf(moment)) + 0.5;
      brush.fillStyle = colours.line;
      brush.fillRect(x, AXIS_PX - 6, 1, height);
      brush.fillStyle = colours["text-soft"];
      brush.textAlign = x < 30 ? "left" : x > view.width - 30 ? "right" : "center";
      brush.fillText(labelOf(moment, step), x, AXIS_PX / 2 - 2);
    }
  }

  drawLane(lane, top, view, bucketMs) {
    const { brush, colours } = this;
    const bottom = top + LANE_PX - 4;
    const band = bottom - BAND_PX;
    brush.fillStyle = colours.raised;
    brush.fillRect(0, band, view.width, BAND_PX);
    for (const gap of lane.gaps) this.fillSpan(view, gap, band, BAND_PX, this.hatch);
    for (const span of lane.covered) this.fillSpan(view, span, band, BAND_PX, colours.cover);
    this.drawBuckets(lane.buckets, band, view, bucketMs);
    for (const recording of lane.recordings) this.drawRecording(recording, band, view);
    brush.fillStyle = colours.line;
    brush.fillRect(0, bottom + 3, view.width, 1);
    this.drawName(lane.name, top + 9);
  }

  fillSpan(view, { start, end }, y, height, style) {
    const x = Math.max(0, view.xOf(start));
    const right = Math.min(view.width, view.xOf(end));
    if (right < 0 || x > view.width) return;
    this.brush.fillStyle = style;
    this.brush.fillRect(x, y, Math.max(1, right - x), height);
  }

  // Motion as height, labels as marks above it.
  drawBuckets(buckets, band, view, bucketMs) {
    const { brush, colours } = this;
    for (const { start, motion, labels } of buckets) {
      const x = view.xOf(start);
      const width = Math.max(1, view.xOf(start + bucketMs) - x - (view.width * bucketMs > view.span * 6 ? 1 : 0));
      if (x > view.width || x + width < 0) continue;
      if (motion > 0) {
        const height = Math.max(1, Math.sqrt(motion) * HEAT_PX);
        brush.fillStyle = colours.heat;
        brush.fillRect(x, band - height, width, height);
      }
      const seen = Object.keys(labels).filter((label) => label !== "motion");
      seen.slice(0, 3).forEach((label, row) => {
        brush.fillStyle = colours[`label-${this.labelColours.numberOf(label)}`];
        brush.fillRect(x, band - HEAT_PX - 1 - (row + 1) * (TICK_PX + 1) + 4, Math.max(2, width), TICK_PX);
      });
    }
  }

  drawRecording({ start, end, is_held: isHeld, state }, band, view) {
    const { brush, colours } = this;
    const x = Math.max(-2, view.xOf(start));
    const right = Math.min(view.width + 2, view.xOf(end));
    if (right < 0 || x > view.width) return;
    brush.fillStyle = state === "active" ? colours.danger : colours.text;
    brush.fillRect(x, band + BAND_PX + 1, Math.max(2, right - x), 2);
    brush.fillRect(x, band + BAND_PX - 3, 1, 5);
    if (right - x > 2) brush.fillRect(right - 1, band + BAND_PX - 3, 1, 5);
    if (!isHeld) return;
    brush.beginPath();
    brush.arc((x + right) / 2, band + BAND_PX / 2, 3.5, 0, 2 * Math.PI);
    brush.fillStyle = colours.accent;
    brush.fill();
    brush.strokeStyle = colours.ground;
    brush.lineWidth = 1;
    brush.stroke();
  }

  drawName(name, y) {
    const { brush, colours } = this;
    brush.font = "12px system-ui, sans-serif";
    brush.textAlign = "left";
    const width = brush.measureText(name).width + 8;
    brush.fillStyle = colours.ground;
    brush.globalAlpha = 0.8;
    brush.fillRect(0, y - 8, width, 16);
    brush.globalAlpha = 1;
    brush.fillStyle = colours.text;
    brush.fillText(name, 3, y);
  }

  drawFuture(view, height) {
    const x = view.xOf(Date.now());
    if (x >= view.width) return;
    this.brush.fillStyle = this.colours.ground;
    this.brush.fillRect(Math.max(0, x) + 1, AXIS_PX, view.width - x, height);
    this.drawLine(x, height, this.colours["line-strong"], 1);
  }

  drawSelection({ start, end }, view, height) {
    const { brush, colours } = this;
    const [x, right] = [view.xOf(start), view.xOf(end)];
    brush.globalAlpha = 0.2;
    brush.fillStyle = colours.accent;
    brush.fillRect(x, 0, right - x, height);
    brush.globalAlpha = 1;
    for (const edge of [x, right]) this.drawLine(edge, height, colours.accent, 1);
  }

  drawLine(x, height, colour, width) {
    this.brush.fillStyle = colour;
    this.brush.fillRect(Math.round(x) - width / 2, 0, width, height);
  }

  drawPlayhead(x, height) {
    const { brush, colours } = this;
    this.drawLine(x, height, colours.accent, 2);
    brush.beginPath();
    brush.moveTo(x - 6, 0);
    brush.lineTo(x + 6, 0);
    brush.lineTo(x, 9);
    brush.closePath();
    brush.fillStyle = colours.accent;
    brush.fill();
  }
}
