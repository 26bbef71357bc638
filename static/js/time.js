// Times as people read them: in words when near, exact otherwise; always the viewer's own zone.

const language = document.documentElement.lang || "en";
const words = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat(language, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 7]];

export function exactTime(moment) {
  return exact.format(moment);
}

export function relativeTime(moment, now = new Date()) {
  let amount = (moment - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(amount) < size) return words.format(Math.round(amount), unit);
    amount /= size;
  }
  return exactTime(moment);
}
