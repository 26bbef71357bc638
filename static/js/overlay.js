// Boxes over live video, drawn on a canvas and matched to the picture by the frame's capture time.
import { boxesAt } from "./boxes-in-time.js";

const KEEP_US = 4_000_000;
const COLOURS = { person: "#f2a93b", face: "#f2a93b", motion: "#8fa7b8" };
const OTHER_COLOUR = "#7fd1c2";
const LABEL_HEIGHT = 18;
const SURE_KEYPOINT = 0.4;

export class Overlay {
  constructor(canvas, video, captureTimeAt) {
    this.canvas = canvas;
    this.video = video;
    this.captureTimeAt = captureTimeAt;
    this.byAnalytic = new Map();
    this.isRunning = true;
    this.schedule();
  }

  stop() {
    this.isRunning = false;
    this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
    delete this.canvas.dataset.boxes;
  }

  // `message` is a detection message of the events socket.
  add(message) {
    const frames = this.byAnalytic.get(message.analytic_id) ?? [];
    this.byAnalytic.set(message.analytic_id, frames);
    frames.push(message);
    frames.sort((one, other) => one.capture_us - other.capture_us);
    while (frames[0].capture_us < frames.at(-1).capture_us - KEEP_US) frames.shift();
  }

  schedule() {
    const next = (_now, facts) => {
      if (!this.isRunning) return;
      this.draw(facts?.mediaTime ?? this.video.currentTime);
      this.schedule();
    };
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(next);
    else requestAnimationFrame(next);
  }

  draw(mediaTime) {
    const { canvas, video } = this;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const brush = canvas.getContext("2d");
    brush.clearRect(0, 0, width, height);
    const captureUs = this.captureTimeAt(mediaTime);
    if (captureUs === null || !video.videoWidth) return;
    const boxes = [...this.byAnalytic.values()].flatMap((frames) => boxesAt(frames, captureUs));
    const area = pictureArea(video, width, height);
    for (const box of boxes) drawBox(brush, box, area, ratio);
    canvas.dataset.boxes = String(boxes.length);
    canvas.dataset.captureUs = String(captureUs);
  }
}

// Where a letterboxed picture lies on the canvas.
function pictureArea({ videoWidth, videoHeight }, width, height) {
  const scale = Math.min(width / videoWidth, height / videoHeight);
  const area = { width: videoWidth * scale, height: videoHeight * scale };
  return { ...area, left: (width - area.width) / 2, top: (height - area.height) / 2 };
}

function drawBox(brush, found, area, ratio) {
  const { box, label, confidence, track } = found;
  const [x1, y1, x2, y2] = box;
  const left = area.left + x1 * area.width;
  const top = area.top + y1 * area.height;
  const colour = COLOURS[label] ?? OTHER_COLOUR;
  brush.lineWidth = (label === "motion" ? 1 : 2) * ratio;
  brush.strokeStyle = colour;
  brush.strokeRect(left, top, (x2 - x1) * area.width, (y2 - y1) * area.height);
  if (label === "motion") return;
  drawShape(brush, found, area, ratio);
  const number = track === null || track === undefined ? "" : ` ${track}`;
  drawLabel(brush, `${label}${number} · ${Math.round(confidence * 100)} %`, { left, top, colour }, area, ratio);
}

// An outline and keypoints go with their box from where they were found to where it is now.
function drawShape(brush, { box, seenBox, outline, keypoints }, area, ratio) {
  const from = seenBox ?? box;
  const place = ([x, y]) => [
    area.left + along(x, from[0], from[2], box[0], box[2]) * area.width,
    area.top + along(y, from[1], from[3], box[1], box[3]) * area.height,
  ];
  if (outline?.length > 2) {
    brush.beginPath();
    for (const point of outline) brush.lineTo(...place(point));
    brush.closePath();
    brush.stroke();
  }
  brush.fillStyle = brush.strokeStyle;
  for (const [x, y, sure] of keypoints ?? []) {
    if (sure < SURE_KEYPOINT) continue;
    const [left, top] = place([x, y]);
    brush.fillRect(left - 2 * ratio, top - 2 * ratio, 4 * ratio, 4 * ratio);
  }
}

function along(value, from, to, newFrom, newTo) {
  return to > from ? newFrom + ((value - from) / (to - from)) * (newTo - newFrom) : newFrom;
}

function drawLabel(brush, text, { left, top, colour }, area, ratio) {
  brush.font = `${12 * ratio}px system-ui, sans-serif`;
  const pad = 4 * ratio;
  const width = brush.measureText(text).width + 2 * pad;
  const x = Math.max(area.left, Math.min(left, area.left + area.width - width));
  const y = Math.max(area.top, top - LABEL_HEIGHT * ratio);
  brush.fillStyle = colour;
  brush.fillRect(x, y, width, LABEL_HEIGHT * ratio);
  brush.fillStyle = "#1a1200";
  brush.fillText(text, x + pad, y + 13 * ratio);
}
