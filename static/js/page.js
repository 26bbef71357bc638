// What every page does: times in the reader's zone, questions before what cannot be undone, and words on failures.
import { fromLocalInput, toLocalInput, writeTimes } from "./time.js";

const REFRESH_MS = 15_000;
const TOAST_MS = 8_000;

// A field for a moment shows the reader's local time; what is sent is the moment itself, with its zone.
function localiseMoments() {
  for (const input of document.querySelectorAll("input[type=datetime-local]")) {
    const moment = input.getAttribute("value");
    if (moment) input.value = toLocalInput(moment);
    input.form?.addEventListener("formdata", ({ formData }) => {
      const local = formData.get(input.name);
      if (local) formData.set(input.name, fromLocalInput(local));
      else formData.delete(input.name);
    });
  }
}

function confirmDangerous(event) {
  const question = event.target.dataset?.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll(".more details[open]")) {
    if (event.type === "keydown" ? event.key === "Escape" : !menu.contains(event.target)) {
      menu.open = false;
      if (event.type === "keydown") menu.querySelector("summary").focus();
    }
  }
}

let toastTimer = null;

function toast(words) {
  const node = document.getElementById("toast");
  if (!node) return;
  node.textContent = words;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, TOAST_MS);
}

function tellFailure({ detail }) {
  const { status, responseText, getResponseHeader } = detail.xhr;
  const isPlain = getResponseHeader.call(detail.xhr, "Content-Type")?.startsWith("text/plain");
  toast(isPlain && responseText ? responseText : `That did not work (${status}).`);
}

writeTimes();
setInterval(writeTimes, REFRESH_MS);
localiseMoments();
document.querySelector("[data-focus]")?.focus();
document.addEventListener("htmx:afterSwap", (event) => writeTimes(event.target));
document.addEventListener("htmx:responseError", tellFailure);
document.addEventListener("htmx:sendError", () => toast("Omma does not answer."));
document.addEventListener("submit", confirmDangerous);
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);
