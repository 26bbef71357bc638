// Below the bar: what the colours of labels mean, and the gaps in view as a table.
import { bar, data, names, part, view } from "./timeline-page.js";
import { seek } from "./timeline-seeking.js";
import { CAUSES, exact, lengthWords } from "./timeline-words.js";
import { SECOND } from "./time-view.js";

export function writeLegend() {
  const labels = new Set(data.lanes.flatMap(({ buckets }) => buckets.flatMap(({ labels: seen }) => Object.keys(seen))));
  labels.delete("motion");
  const key = [...labels].sort().join();
  const list = part("labels");
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...[...labels].sort().map((label) => {
    const item = document.createElement("span");
    item.className = `key label-${bar.labelColours.numberOf(label)}`;
    item.textContent = label;
    return item;
  }));
}

const MOST_GAPS = 100;
export function writeGaps() {
  const inView = ({ start, end }) => start < view.end && end > view.start;
  const gaps = names.flatMap(({ stream, name }) => (data.laneOf(stream)?.gaps ?? []).filter(inView).map((gap) => ({ ...gap, name })));
  gaps.sort((one, other) => other.start - one.start);
  part("gap-count").textContent = String(gaps.length);
  if (!part("gaps").open) return;
  part("gap-rows").replaceChildren(...gaps.slice(0, MOST_GAPS).map(gapRow));
  part("no-gaps").hidden = gaps.length > 0;
}

function gapRow(gap) {
  const row = document.createElement("tr");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button plain";
  button.textContent = exact(gap.start);
  button.addEventListener("click", () => seek(gap.start + 1));
  const cells = [button, gap.name, `${CAUSES[gap.cause] ?? gap.cause}${gap.count > 1 ? ` (${gap.count})` : ""}`, lengthWords(gap.gap_s * SECOND)];
  row.append(...cells.map((content) => {
    const cell = document.createElement("td");
    cell.append(content);
    return cell;
  }));
  return row;
}
part("gaps").addEventListener("toggle", writeGaps);
bar.addEventListener("view", writeGaps);
