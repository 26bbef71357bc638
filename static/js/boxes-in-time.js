// Where the boxes are at the moment of a picture. Results come after their picture and for a few pictures a second, so
// between two results a box is on the line from one to the other, and after the last one it goes on as it went.

const SAME_US = 20_000; // a result this near is the picture's own
const AHEAD_US = 1_200_000; // a box goes on for this long at most: analysis takes its time
const BETWEEN_US = 1_500_000; // results further apart than this are not joined
const PACE_US = 1_600_000; // over how long the pace of a box is measured
const PACE_LEAST_US = 300_000; // a pace over less than this is noise
const UNPACED_US = 500_000; // a box whose pace nobody knows stays for this long: then it may lie beside what it means

// `frames` are detection messages of one analytic, oldest first. Returns boxes with their place at `captureUs`,
// and as `seenBox` the one that was found, where the box has gone on from it.
export function boxesAt(frames, captureUs) {
  const index = frames.findLastIndex((frame) => frame.capture_us <= captureUs + SAME_US);
  if (index < 0 || frames[index].capture_us < captureUs - AHEAD_US) return [];
  const before = frames[index];
  const after = frames[index + 1];
  const isJoined = after && after.capture_us - before.capture_us < BETWEEN_US;
  const since = captureUs - before.capture_us;
  return before.boxes.flatMap((found) => {
    const next = isJoined ? sameIn(after, found) : null;
    const pace = next ? paceOver(before, found, after, next) : lastPace(frames, index, found);
    if (pace) return { ...found, seenBox: found.box, box: moved(found.box, pace, since) };
    return since < UNPACED_US ? found : [];
  });
}

function sameIn(frame, { track, label }) {
  if (track === null || track === undefined) return null;
  return frame.boxes.find((box) => box.track === track && box.label === label) ?? null;
}

function paceOver(from, { box: a }, to, { box: b }) {
  const duration = to.capture_us - from.capture_us;
  return duration > 0 ? b.map((value, side) => (value - a[side]) / duration) : null;
}

// The pace of the box's centre over the last results, with its size kept: a detector's edges tremble.
function lastPace(frames, index, found) {
  const newest = frames[index];
  let oldest = null;
  for (let at = index - 1; at >= 0 && newest.capture_us - frames[at].capture_us <= PACE_US; at -= 1) {
    const box = sameIn(frames[at], found);
    if (box) oldest = { frame: frames[at], box };
  }
  if (!oldest || newest.capture_us - oldest.frame.capture_us < PACE_LEAST_US) return null;
  const [left, top, right, bottom] = paceOver(oldest.frame, oldest.box, newest, found);
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  return [x, y, x, y];
}

function moved(box, pace, duration) {
  return box.map((value, side) => Math.min(1, Math.max(0, value + pace[side] * duration)));
}
