// The little of ISO BMFF that the players must read: time scales and codecs of an init segment, and the decode times
// of a fragment (ISO/IEC 14496-12, boxes mdhd, hdlr, stsd and tfdt).

const CONTAINERS = new Set(["moov", "trak", "mdia", "minf", "stbl", "moof", "traf"]);

function* boxes(view, start, end) {
  let position = start;
  while (position + 8 <= end) {
    let size = view.getUint32(position);
    let header = 8;
    if (size === 1) {
      size = Number(view.getBigUint64(position + 8));
      header = 16;
    }
    if (size < header || position + size > end) return;
    const type = String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + position + 4, 4));
    yield { type, body: position + header, end: position + size };
    position += size;
  }
}

function find(view, wanted, start = 0, end = view.byteLength) {
  for (const box of boxes(view, start, end)) {
    if (box.type === wanted) return box;
    if (CONTAINERS.has(box.type)) {
      const inner = find(view, wanted, box.body, box.end);
      if (inner) return inner;
    }
  }
  return null;
}

export function readTimeScale(init) {
  const view = new DataView(init.buffer, init.byteOffset, init.byteLength);
  const box = find(view, "mdhd");
  if (!box) return 0;
  return view.getUint32(box.body + (view.getUint8(box.body) === 1 ? 20 : 12));
}

export function readDecodeTime(fragment) {
  const view = new DataView(fragment.buffer, fragment.byteOffset, fragment.byteLength);
  const box = find(view, "tfdt");
  if (!box) return null;
  return view.getUint8(box.body) === 1 ? Number(view.getBigUint64(box.body + 4)) : view.getUint32(box.body + 4);
}

function* all(view, wanted, start = 0, end = view.byteLength) {
  for (const box of boxes(view, start, end)) {
    if (box.type === wanted) yield box;
    else if (CONTAINERS.has(box.type)) yield* all(view, wanted, box.body, box.end);
  }
}

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const letters = (view, at) => String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, 4));
const hex = (number) => number.toString(16).padStart(2, "0");

// The tracks of an init segment: id, ticks per second, whether it is the picture, and its codec in RFC 6381's words.
export function readTracks(init) {
  const view = viewOf(init);
  return [...all(view, "trak")].map((track) => {
    const header = find(view, "tkhd", track.body, track.end);
    const media = find(view, "mdhd", track.body, track.end);
    const handler = find(view, "hdlr", track.body, track.end);
    const samples = find(view, "stsd", track.body, track.end);
    return {
      id: view.getUint32(header.body + (view.getUint8(header.body) === 1 ? 20 : 12)),
      timeScale: view.getUint32(media.body + (view.getUint8(media.body) === 1 ? 20 : 12)),
      isVideo: letters(view, handler.body + 8) === "vide",
      codec: codecOf(view, samples.body + 8, samples.end),
    };
  });
}

// The first sample entry's codec. A sample entry of pictures has 78 bytes before its boxes (ISO/IEC 14496-12, 12.1.3).
function codecOf(view, start, end) {
  const entry = boxes(view, start, end).next().value;
  if (!entry) return "";
  if (entry.type === "mp4a") return "mp4a.40.2";
  const settings = [...boxes(view, entry.body + 78, entry.end)].find(({ type }) => type === "avcC" || type === "hvcC");
  if (settings?.type === "avcC") {
    const [profile, limits, level] = [1, 2, 3].map((at) => hex(view.getUint8(settings.body + at)));
    return `${entry.type}.${profile}${limits}${level}`;
  }
  if (settings?.type === "hvcC") {
    const profile = view.getUint8(settings.body + 1) & 31;
    return `${entry.type}.${profile}.6.L${view.getUint8(settings.body + 12)}.B0`;
  }
  return entry.type;
}

// When a fragment begins on its picture's track, in seconds of that track's clock; null where it has no pictures.
export function readStart(fragment, tracks) {
  const view = viewOf(fragment);
  const picture = tracks.find(({ isVideo }) => isVideo);
  for (const run of all(view, "traf")) {
    const header = find(view, "tfhd", run.body, run.end);
    const time = find(view, "tfdt", run.body, run.end);
    if (!time || view.getUint32(header.body + 4) !== picture?.id) continue;
    const ticks = view.getUint8(time.body) === 1 ? Number(view.getBigUint64(time.body + 4)) : view.getUint32(time.body + 4);
    return ticks / picture.timeScale;
  }
  return null;
}
