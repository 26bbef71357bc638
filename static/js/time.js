// Times as people read them: in words when near, exact otherwise; always the viewer's own zone.

const language = document.documentElement.lang || "en";
// The reader's own kind of the page's language: 21 Nov in Britain, Nov 21 in America.
const locale = navigator.languages.find((one) => one.split("-")[0] === language) ?? "en-GB";
const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat(locale, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 7]];

function exactTime(moment) {
  return exact.format(moment);
}

function relativeTime(moment, now = new Date()) {
  let amount = (moment - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(amount) < size) return words.format(Math.round(amount), unit);
    amount /= size;
  }
  return exactTime(moment);
}

export function writeTimes(root = document) {
  for (const node of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(node.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    const exact = exactTime(moment);
    const text = node.dataset.as === "relative" ? relativeTime(moment) : exact;
    if (node.title !== exact) node.title = exact;
    if (node.textContent !== text) node.textContent = text;
  }
}

// A moment (UTC where it names no zone) as a `datetime-local` field holds it.
export function toLocalInput(text) {
  const moment = new Date(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(moment.valueOf())) return "";
  const two = (number) => String(number).padStart(2, "0");
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

export function fromLocalInput(text) {
  return new Date(text).toISOString();
}
