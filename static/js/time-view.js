// Which stretch of time is on screen: pixels to moments and back, zooming, panning, and where labels stand.
// Moments are milliseconds since the epoch.

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const SHORTEST = 30 * SECOND;
const LONGEST = 7 * DAY;
const STEPS = [
  SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE,
  HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
];
const LABEL_PX = 84; // two labels stand at least this far apart

// The clock on the wall as if it were UTC, so that steps of hours and days fall where people expect them.
const toLocal = (moment) => moment - new Date(moment).getTimezoneOffset() * MINUTE;

function fromLocal(local) {
  const guess = local + new Date(local).getTimezoneOffset() * MINUTE;
  return local + new Date(guess).getTimezoneOffset() * MINUTE;
}

// Midnight of the reader's day that holds the moment, and the one after it: 23 to 25 hours later.
export function dayOf(moment) {
  const start = new Date(moment);
  start.setHours(0, 0, 0, 0);
  const end = new Date(start);
  end.setDate(end.getDate() + 1);
  return { start: start.valueOf(), end: end.valueOf() };
}

export class TimeView {
  constructor(start, end) {
    this.width = 1;
    this.show(start, end);
  }

  get span() {
    return this.end - this.start;
  }

  show(start, end) {
    const span = Math.min(LONGEST, Math.max(SHORTEST, end - start));
    const middle = (start + end) / 2;
    this.start = middle - span / 2;
    this.end = middle + span / 2;
    this.keepFromFuture();
  }

  // Now stands at the right edge and not further left than three quarters of the way.
  keepFromFuture() {
    const late = this.end - (Date.now() + 0.02 * this.span);
    if (late <= 0) return;
    this.start -= late;
    this.end -= late;
  }

  zoom(factor, about = (this.start + this.end) / 2) {
    const span = Math.min(LONGEST, Math.max(SHORTEST, this.span * factor));
    const part = (about - this.start) / this.span;
    this.start = about - span * part;
    this.end = this.start + span;
    this.keepFromFuture();
  }

  pan(milliseconds) {
    this.start += milliseconds;
    this.end += milliseconds;
    this.keepFromFuture();
  }

  // Bring a moment into view with a little room around it; leaves the view alone where it is in it.
  reveal(moment) {
    const room = this.span * 0.05;
    if (moment < this.start + room) this.pan(moment - this.start - room);
    else if (moment > this.end - room) this.pan(moment - this.end + room);
  }

  xOf(moment) {
    return ((moment - this.start) / this.span) * this.width;
  }

  momentAt(x) {
    return this.start + (x / this.width) * this.span;
  }

  step() {
    const least = (this.span / this.width) * LABEL_PX;
    return STEPS.find((step) => step >= least) ?? DAY;
  }

  // Where labels stand, oldest first.
  ticks() {
    const step = this.step();
    const found = [];
    for (let local = Math.ceil(toLocal(this.start) / step) * step; ; local += step) {
      const moment = fromLocal(local);
      if (moment > this.end || found.length > 200) return found;
      if (moment >= this.start) found.push(moment);
    }
  }
}
