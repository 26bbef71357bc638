// Reads Omma's HLS playlists: byte ranges of segment files, each with the wall time at which it begins.

function rangeOf(text) {
  const [size, offset] = text.split("@").map(Number);
  return { offset, size };
}

// Returns entries, oldest first: their wall time and length in ms, their bytes, and those of the file's init section.
export function readPlaylist(text) {
  const entries = [];
  let map = null;
  let next = {};
  for (const line of text.split("\n")) {
    const [tag, value] = line.startsWith("#") ? [line.split(":")[0], line.slice(line.indexOf(":") + 1)] : ["", line];
    if (tag === "#EXT-X-MAP") map = { url: /URI="([^"]+)"/.exec(value)[1], ...rangeOf(/BYTERANGE="([^"]+)"/.exec(value)[1]) };
    else if (tag === "#EXT-X-PROGRAM-DATE-TIME") next.start = Date.parse(value);
    else if (tag === "#EXTINF") next.length = Number.parseFloat(value) * 1_000;
    else if (tag === "#EXT-X-BYTERANGE") Object.assign(next, rangeOf(value));
    else if (!tag && value.trim()) {
      entries.push({ ...next, end: next.start + next.length, url: value.trim(), map });
      next = {};
    }
  }
  return entries;
}
