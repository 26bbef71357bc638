// What every page does: times in words, and the details menu that closes when it is left.
import { relativeTime, exactTime } from "./time.js";

const REFRESH_MS = 15_000;

function writeTimes(root = document) {
  for (const node of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(node.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    node.title = exactTime(moment);
    if (node.dataset.as === "relative") node.textContent = relativeTime(moment);
    else node.textContent = exactTime(moment);
  }
}

function confirmDangerous(event) {
  const question = event.target.dataset?.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open], .more details[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
}

writeTimes();
setInterval(writeTimes, REFRESH_MS);
document.addEventListener("htmx:afterSwap", (event) => writeTimes(event.target));
document.addEventListener("submit", confirmDangerous);
document.addEventListener("click", closeMenus);
