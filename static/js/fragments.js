// The little of ISO BMFF that the player must read: the time scale of an init segment and the decode time of a
// fragment (ISO/IEC 14496-12, boxes mdhd and tfdt).

const CONTAINERS = new Set(["moov", "trak", "mdia", "moof", "traf"]);

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
