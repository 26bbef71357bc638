// Parts of a page that stay true: `data-follow` names the news that changes them, `data-every` a number of seconds.
// The page is fetched again, at most every two seconds and never while the tab is hidden.
import { fetchPage } from "./fetched.js";
import { merge } from "./merge.js";
import { listenToNews } from "./news.js";
import { writeTimes } from "./time.js";

const REST_MS = 2_000;
const parts = [...document.querySelectorAll("[data-follow], [data-every]")];
let timer = null;
let isStale = false;

async function refresh() {
  timer = null;
  if (document.hidden) return;
  isStale = false;
  try {
    const page = await fetchPage();
    for (const part of parts) {
      const fresh = page.getElementById(part.id);
      if (fresh) merge(part, fresh);
      writeTimes(part);
    }
    document.dispatchEvent(new CustomEvent("omma:refreshed"));
  } catch {
    isStale = true; // the next news, or the reader's return, tries again
  }
}

function refreshSoon() {
  isStale = true;
  timer ??= setTimeout(refresh, REST_MS);
}

function concerns(part, { type, id, data }) {
  if (!part.dataset.follow?.split(" ").includes(type)) return false;
  if (part.dataset.of && part.dataset.of !== id) return false;
  return !part.dataset.camera || !data?.camera || data.camera === part.dataset.camera;
}

const topics = [...new Set(parts.flatMap((part) => part.dataset.follow?.split(" ") ?? []))];
for (const topic of topics) {
  document.addEventListener(`omma:${topic}`, ({ detail }) => {
    if (parts.some((part) => concerns(part, detail))) refreshSoon();
  });
}
if (topics.length) listenToNews(topics);
document.addEventListener("omma:reset", refreshSoon);
document.addEventListener("visibilitychange", () => { if (!document.hidden && isStale) refreshSoon(); });
for (const part of parts.filter(({ dataset }) => dataset.every)) {
  setInterval(() => { if (part.dataset.every) refreshSoon(); }, Number(part.dataset.every) * 1000);
}
