// The timeline in words: moments, lengths, why nothing is recorded, and what was seen.

export const CAUSES = {
  camera: "the camera was away", network: "the network failed", decoder: "the picture could not be read",
  disk: "the disk failed", overload: "there was too much to do", worker: "the recorder was away",
  planned: "planned by somebody", policy: "recording is off", expired: "deleted by retention",
};

const locale = document.documentElement.lang || "en";
const format = new Intl.DateTimeFormat(navigator.languages.find((one) => one.split("-")[0] === locale) ?? "en-GB", {
  weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

export const exact = (moment) => format.format(moment);

// A length in its two largest units: 1 min 5 s.
export function lengthWords(milliseconds) {
  const seconds = milliseconds / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
  const whole = Math.round(seconds);
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3_600) % 24, Math.floor(whole / 60) % 60];
  const parts = [[days, "d"], [hours, "h"], [minutes, "min"], [whole % 60, "s"]];
  const first = parts.findIndex(([amount]) => amount);
  return parts.slice(first, first + 2).filter(([amount]) => amount).map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

// What a stretch of minutes showed.
export function seenWords({ motion, labels }) {
  const seen = Object.entries(labels).filter(([label]) => label !== "motion").map(([label, count]) => `${label} ${count}`);
  return [...seen, ...(motion > 0 ? [`motion ${Math.round(motion * 100)} %`] : [])].join(" · ");
}
