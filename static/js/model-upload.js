// A model or a dataset goes up in parts, so that a lost connection costs a part and not the file: hash it, announce
// it, send what is missing, finish. An upload that was begun and left is gone on with where it ended. Without this
// script the form sends all of it at once.
import { Sha256 } from "./sha256.js";

const PART_BYTES = 2 << 20;
const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 15_000;
const LAST_TRIES = 12; // about two minutes without an answer
const MEGABYTE = 2 ** 20; // as the lists count them
const form = document.querySelector("form[data-upload]");
const kind = form?.dataset.upload;
const part = (name) => form.querySelector(`[data-part=${name}]`);
const field = (name) => form.elements.namedItem(name);
let stop = null; // of the upload that goes on: an AbortController

class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `Omma answers ${status}.`);
    Object.assign(this, { status, code: error?.code, fields: error?.fields ?? {}, detail: error?.detail ?? {} });
  }
}

async function ask(method, address, { body, headers = {}, signal = stop?.signal } = {}) {
  const isJson = body && !(body instanceof Blob);
  const response = await fetch(address, {
    method,
    signal,
    headers: {
      Accept: "application/json",
      "X-CSRFToken": field("csrfmiddlewaretoken").value,
      ...(body && { "Content-Type": isJson ? "application/json" : "application/octet-stream" }),
      ...headers,
    },
    body: isJson ? JSON.stringify(body) : body,
  });
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, answer?.error);
  return answer;
}

function show(words, share) {
  part("words").textContent = words;
  part("bar").value = share * 100;
}

const megabytes = (bytes) => (bytes / MEGABYTE).toFixed(bytes < 100 * MEGABYTE ? 1 : 0);

async function hashOf(file) {
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += PART_BYTES) {
    stop.signal.throwIfAborted();
    hash.add(new Uint8Array(await file.slice(at, at + PART_BYTES).arrayBuffer()));
    show(`Reading the file: ${Math.round((at / file.size) * 100)} %`, at / file.size);
  }
  return hash.hex();
}

const listed = (text) => text.split(",").map((label) => label.trim()).filter(Boolean);

// The upload to send to: one that was begun with this very file and these words, or a new one.
async function begin(file, sha256) {
  const account = field("account")?.value || form.dataset.account;
  const name = field("name").value.trim();
  const begun = await ask("GET", `/api/v1/model-uploads/?${new URLSearchParams({ kind, account })}`);
  const known = begun.results.find((one) => one.sha256 === sha256 && one.size_bytes === file.size && one.name === name);
  if (known) return known;
  const said = kind === "model"
    ? { labels: listed(field("labels").value), ...Object.fromEntries(["licence", "origin", "author"].map((key) => [key, field(key).value.trim()])) }
    : {};
  return ask("POST", "/api/v1/model-uploads/", { body: { account, kind, name, size_bytes: file.size, sha256, ...said } });
}

const rest = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function sendAll(file, upload) {
  const address = `/api/v1/model-uploads/${upload.id}/`;
  let at = upload.received_bytes;
  let tries = 0;
  while (at < file.size) {
    show(`${megabytes(at)} of ${megabytes(file.size)} MB sent`, at / file.size);
    try {
      const body = file.slice(at, at + PART_BYTES);
      at = (await ask("PATCH", address, { body, headers: { "Upload-Offset": String(at) } })).received_bytes;
      tries = 0;
    } catch (error) {
      if (error.code === "wrong_offset") {
        at = error.detail.received_bytes;
        continue;
      }
      if (error.name === "AbortError" || (error instanceof Refused && error.status < 500) || tries >= LAST_TRIES) throw error;
      tries += 1;
      show(`No answer; trying again. ${megabytes(at)} of ${megabytes(file.size)} MB sent`, at / file.size);
      await rest(Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** tries));
    }
  }
}

async function finish(upload) {
  show(kind === "model" ? "Looking through the file and trying it …" : "Beginning …", 1);
  part("bar").removeAttribute("value"); // how long this takes nobody knows
  part("stop").hidden = true;
  if (kind === "model") {
    const model = await ask("POST", `/api/v1/model-uploads/${upload.id}/finish/`, { signal: null });
    return `${form.dataset.done}${model.id}/`;
  }
  const options = Object.fromEntries(["epochs", "picture_px", "batch"].map((key) => [key, Number(field(key).value)]));
  const body = { upload: upload.id, name: field("name").value.trim(), architecture: field("architecture").value, ...options };
  await ask("POST", "/api/v1/trainings/", { body, signal: null });
  return form.dataset.done;
}

function setBusy(isBusy) {
  part("coming").hidden = !isBusy;
  part("stop").hidden = !isBusy;
  for (const one of form.querySelectorAll(".field input, .field select, .row .button")) {
    if (one.tagName === "A") one.hidden = isBusy;
    else one.disabled = isBusy;
  }
  if (isBusy) part("stop").focus();
}

const NAMES = { size_bytes: "file", sha256: "file", upload: "file", offset: "file" }; // the API's, and the form's

function tell(error) {
  const words = Object.entries(error.fields ?? {}).map(([name, texts]) => {
    const shown = field(NAMES[name] ?? name);
    shown?.setAttribute?.("aria-invalid", "true");
    return [].concat(texts).join(" ");
  });
  part("problem-words").textContent = words.join(" ") || error.message || "Omma does not answer.";
  part("problem").hidden = false;
  part("problem").focus();
}

async function send() {
  const file = field("file").files[0];
  stop = new AbortController();
  setBusy(true);
  let upload = null;
  try {
    upload = await begin(file, await hashOf(file));
    await sendAll(file, upload);
    window.location.assign(await finish(upload));
  } catch (error) {
    setBusy(false);
    if (error.name !== "AbortError") tell(error);
    else if (upload) await ask("DELETE", `/api/v1/model-uploads/${upload.id}/`, { signal: null }).catch(() => null);
  }
}

form?.addEventListener("submit", (event) => {
  const file = field("file").files[0];
  if (!file || !field("name").value.trim()) return; // the server says what is missing
  event.preventDefault();
  part("problem").hidden = true;
  for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  send();
});
form && part("stop").addEventListener("click", () => stop?.abort());
// A file has a name already; whoever wants another one types it.
form && field("file").addEventListener("change", ({ target }) => {
  if (!field("name").value && target.files[0]) field("name").value = target.files[0].name.replace(/\.[^.]+$/, "").slice(0, 120);
});
window.addEventListener("beforeunload", (event) => { if (form && !part("coming").hidden && !part("stop").hidden) event.preventDefault(); });
