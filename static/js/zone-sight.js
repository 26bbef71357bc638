// What the detector sees behind the zone now, and what the rule as it stands here would have matched in the last hour.
const HOUR_MS = 3_600_000;
const PICTURE_EVERY_MS = 2_000;
const REST_MS = 600;
const MOST_TRACKS = 200;
const MOST_LINKS = 8;
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const zone = document.querySelector(".zone[data-stream]");
const form = zone?.closest("form");
const words = document.querySelector("[data-matches]");
const list = document.querySelector("[data-match-list]");

// A picture takes the place of the one before when it is there, so that nothing flickers.
function showNow() {
  if (document.hidden) return;
  const picture = zone.querySelector("img");
  const next = new Image();
  next.onload = () => { picture.src = next.src; };
  next.src = `/media/v1/streams/${zone.dataset.stream}/still.jpg?width=960&boxes=1&t=${Date.now()}`;
}

function isInside([x, y], polygon) {
  let isIn = false;
  polygon.forEach(([ax, ay], index) => {
    const [bx, by] = polygon.at(index - 1);
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isIn = !isIn;
  });
  return isIn;
}

// For how long at a stretch a track stood in the zone, in seconds; its foot point counts, as in the rule itself.
function longestStay(track, polygon) {
  const seconds = (Date.parse(track.end) - Date.parse(track.start)) / 1000;
  if (polygon.length < 3) return seconds;
  let [longest, since] = [-1, null];
  for (const [ms, x, y] of track.path) {
    if (isInside([x, y], polygon)) {
      since ??= ms;
      longest = Math.max(longest, (ms - since) / 1000);
    } else since = null;
  }
  return longest;
}

function ruleNow() {
  const labels = [...form.querySelectorAll("input[name=labels]:checked")].map(({ value }) => value);
  const number = (name) => Number(form.elements.namedItem(name)?.value) || 0;
  let polygon = [];
  try { polygon = JSON.parse(document.getElementById(zone.dataset.field).value || "[]"); } catch { /* the server says so */ }
  return { labels, polygon, confidence: Math.min(1, Math.max(0, number("min_confidence"))), duration: number("min_duration_s") };
}

let asked = 0;
async function writeMatches() {
  const rule = ruleNow();
  const mine = asked += 1;
  if (!rule.labels.length) return tell("", []);
  const query = new URLSearchParams({
    stream: zone.dataset.stream, start: new Date(Date.now() - HOUR_MS).toISOString(), min_confidence: String(rule.confidence), page_size: String(MOST_TRACKS),
  });
  for (const label of rule.labels) query.append("label", label);
  const response = await fetch(`/api/v1/tracks/?${query}`, { headers: { Accept: "application/json" } });
  if (mine !== asked || !response.ok) return undefined;
  const answer = await response.json();
  const found = answer.results.filter((track) => longestStay(track, rule.polygon) >= rule.duration);
  const times = found.length === 1 ? "once" : `${found.length} times`;
  const most = answer.results.length === MOST_TRACKS ? " among the latest 200 sightings" : "";
  const where = rule.polygon.length < 3 ? "" : " What counts is where something stands.";
  return tell(found.length ? `In the last hour this would have matched ${times}${most}:` : `In the last hour this would have matched nothing${most}.${where}`, found);
}

function tell(text, found) {
  words.textContent = text;
  list.replaceChildren(...found.slice(0, MOST_LINKS).map((track) => {
    const link = document.createElement("a");
    link.href = `/app/timeline/?${new URLSearchParams({ camera: zone.dataset.camera, at: track.start })}`;
    link.textContent = `${track.label} ${time.format(new Date(track.start))}`;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
}

let timer = null;
function writeSoon() {
  clearTimeout(timer);
  timer = setTimeout(() => writeMatches().catch(() => tell("", [])), REST_MS);
}

if (zone) {
  if (zone.querySelector("img")) setInterval(showNow, PICTURE_EVERY_MS);
  for (const type of ["change", "input"]) form.addEventListener(type, writeSoon);
  writeSoon();
}
