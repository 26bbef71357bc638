// Boxes over live video, drawn on a canvas and matched to the picture by the frame's capture time.

const KEEP_US = 4_000_000;
const MATCH_US = 1_200_000; // a result is this much older than the picture at most: analysis takes its time
const COLOURS = { person: "#f2a93b", face: "#f2a93b", motion: "#8fa7b8" };
const OTHER_COLOUR = "#7fd1c2";

export class Overlay {
  constructor(canvas, video, captureTimeAt) {
    this.canvas = canvas;
    this.video = video;
    this.captureTimeAt = captureTimeAt;
    this.frames = [];
    this.isRunning = true;
    this.schedule();
  }

  stop() {
    this.isRunning = false;
  }

  // `message` is a detection message of the events socket.
  add(message) {
    this.frames.push(message);
    const oldest = message.capture_us - KEEP_US;
    while (this.frames.length && this.frames[0].capture_us < oldest) this.frames.shift();
  }

  schedule() {
    if (!this.isRunning) return;
    const next = (_now, facts) => {
      this.draw(facts?.mediaTime ?? this.video.currentTime);
      this.schedule();
    };
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(next);
    else requestAnimationFrame(next);
  }

  // The newest result of each analytic that is not newer than the picture and still near it.
  resultsFor(captureUs) {
    const byAnalytic = new Map();
    for (const frame of this.frames) {
      if (frame.capture_us > captureUs + 20_000 || frame.capture_us < captureUs - MATCH_US) continue;
      byAnalytic.set(frame.analytic_id, frame);
    }
    return [...byAnalytic.values()];
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
    const scale = Math.min(width / video.videoWidth, height / video.videoHeight);
    const area = { width: video.videoWidth * scale, height: video.videoHeight * scale };
    area.left = (width - area.width) / 2;
    area.top = (height - area.height) / 2;
    for (const frame of this.resultsFor(captureUs)) {
      for (const box of frame.boxes) drawBox(brush, box, area, ratio);
    }
    canvas.dataset.boxes = String(this.resultsFor(captureUs).reduce((sum, frame) => sum + frame.boxes.length, 0));
  }
}

function drawBox(brush, { box, label, confidence, track }, area, ratio) {
  const [x1, y1, x2, y2] = box;
  const left = area.left + x1 * area.width;
  const top = area.top + y1 * area.height;
  const colour = COLOURS[label] ?? OTHER_COLOUR;
  brush.lineWidth = (label === "motion" ? 1 : 2) * ratio;
  brush.strokeStyle = colour;
  brush.strokeRect(left, top, (x2 - x1) * area.width, (y2 - y1) * area.height);
  if (label === "motion") return;
  const number = track === null || track === undefined ? "" : ` ${track}`;
  const text = `${label}${number} · ${Math.round(confidence * 100)} %`;
  brush.font = `${12 * ratio}px system-ui, sans-serif`;
  const pad = 4 * ratio;
  const textWidth = brush.measureText(text).width + 2 * pad;
  const textTop = Math.max(area.top, top - 18 * ratio);
  brush.fillStyle = colour;
  brush.fillRect(left, textTop, textWidth, 18 * ratio);
  brush.fillStyle = "#1a1200";
  brush.fillText(text, left + pad, textTop + 13 * ratio);
}
