// What the time bar shows, asked for once per zoom level: three screens of it at the resolution of a pixel.
// While a new answer is on its way the old one stays.
import { DAY, MINUTE } from "./time-view.js";

const REST_MS = 150;
const SCREENS_ASIDE = 1;
const EDGE_EVERY_MS = 10_000; // how often what happens now is asked for again
const LONGEST = 31 * DAY;
const FINE_S = 0.5;

const ms = (text) => Date.parse(text);

function laneOf(stream) {
  const span = (one) => ({ ...one, start: ms(one.start), end: ms(one.end) });
  return {
    stream: stream.stream,
    covered: stream.covered.map(span),
    gaps: stream.gaps.map(span),
    recordings: stream.recordings.map(span),
    buckets: stream.buckets.map((one) => ({ ...one, start: ms(one.start) })),
  };
}

export class TimelineData extends EventTarget {
  constructor(streamIds) {
    super();
    this.streamIds = streamIds;
    this.lanes = [];
    this.state = "loading"; // loading, ready or failed
  }

  // Make sure that what is in view is there, or comes.
  want(view) {
    this.view = view;
    const isInside = this.range && this.range.start <= view.start && Math.min(view.end, this.range.askedAt) <= this.range.end;
    const isFine = this.range && view.span / this.range.span > 0.5 && view.span / this.range.span < 2;
    const isFresh = this.range && (view.end < this.range.askedAt || Date.now() - this.range.askedAt < EDGE_EVERY_MS);
    if (isInside && isFine && isFresh) return;
    this.timer ??= setTimeout(() => this.ask(), this.range ? REST_MS : 0);
  }

  refresh() {
    if (this.range) this.range.askedAt = 0;
    if (this.view) this.want(this.view);
  }

  async ask() {
    const { view } = this;
    const aside = Math.min(view.span * SCREENS_ASIDE, (LONGEST - view.span) / 2);
    const now = Date.now();
    const range = { start: view.start - aside, end: Math.min(view.end + aside, now + 1_000), span: view.span, askedAt: now };
    this.question?.abort();
    this.question = new AbortController();
    const { signal } = this.question;
    try {
      const answer = await this.fetchRange(range, view.span / view.width / 1_000, signal);
      this.lanes = answer.streams.map(laneOf);
      this.range = range;
      this.bucketMs = answer.bucket_s * 1_000;
      this.state = "ready";
    } catch (error) {
      if (error.name !== "AbortError") this.state = "failed";
    }
    if (signal.aborted) return;
    this.timer = null;
    this.dispatchEvent(new Event("change"));
  }

  async fetchRange({ start, end }, resolutionS, signal) {
    const query = new URLSearchParams({
      start: new Date(start).toISOString(), end: new Date(Math.max(end, start + 1_000)).toISOString(),
    });
    if (resolutionS) query.set("resolution_s", resolutionS.toFixed(3));
    for (const id of this.streamIds) query.append("stream", id);
    const response = await fetch(`/api/v1/timeline/?${query}`, { signal, headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`the timeline answers ${response.status}`);
    return response.json();
  }

  laneOf(streamId) {
    return this.lanes.find(({ stream }) => stream === streamId);
  }

  // What a stream has at a moment: recorded or not, why not, and what was seen.
  at(streamId, moment) {
    const lane = this.laneOf(streamId);
    if (!lane) return null;
    const within = ({ start, end }) => start <= moment && moment < end;
    return {
      isCovered: lane.covered.some(within),
      gap: lane.gaps.find(within) ?? null,
      recording: lane.recordings.find(within) ?? null,
      bucket: lane.buckets.find(({ start }) => start <= moment && moment < start + this.bucketMs) ?? null,
    };
  }

  // Whether a stream may have footage in a stretch: false where it is known to have none, null while nothing is loaded.
  mayHave(streamId, start, end) {
    if (this.state === "loading") return null;
    const lane = this.laneOf(streamId);
    if (!lane || start < this.range.start || Math.min(end, this.range.askedAt) > this.range.end) return true;
    const isGrowing = ({ end: last }) => last > this.range.askedAt - 1.5 * EDGE_EVERY_MS && end > last;
    return lane.covered.some((span) => (span.start < end && span.end > start) || isGrowing(span));
  }

  // The next moment with footage of any stream, looked up over the whole time up to now; null where there is none.
  async nextFootage(moment) {
    const known = this.nextIn(this.lanes, moment);
    if (known !== null && this.range && moment >= this.range.start) return known;
    const end = Math.min(Date.now(), moment + LONGEST);
    if (end <= moment) return null;
    const answer = await this.fetchRange({ start: moment, end });
    return this.nextIn(answer.streams.map(laneOf), moment);
  }

  // Where the newest footage ends, and since when it goes on without a hole; null where there is none in what is loaded.
  async newestFootage() {
    const ends = this.lanes.flatMap(({ covered }) => covered.map(({ end }) => end));
    if (!ends.length) return null;
    const last = Math.max(...ends);
    const answer = await this.fetchRange({ start: last - 10 * MINUTE, end: Date.now() }, FINE_S);
    const spans = answer.streams.map(laneOf).flatMap(({ covered }) => covered);
    return spans.reduce((found, span) => (found && found.end >= span.end ? found : span), null);
  }

  nextIn(lanes, moment) {
    const starts = lanes.flatMap(({ covered }) => covered.filter(({ end }) => end > moment + 200).map(({ start }) => Math.max(start, moment)));
    return starts.length ? Math.min(...starts) : null;
  }
}
