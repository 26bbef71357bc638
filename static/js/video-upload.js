// A video's file goes up in parts, so that a lost connection costs a part and not the file. An address is the server's.
import { Sha256 } from "./sha256.js";

const PART_BYTES = 4 << 20;
const TRIES = 8;
const form = document.querySelector("form[data-done]");
const part = (name) => form.querySelector(`[data-part=${name}]`);
const field = (name) => form.elements.namedItem(name);
let stop = null;

async function ask(method, address, body, headers = {}) {
  const isJson = body && !(body instanceof Blob);
  const answer = await fetch(address, {
    method,
    signal: stop?.signal,
    headers: {
      Accept: "application/json",
      "X-CSRFToken": field("csrfmiddlewaretoken").value,
      ...(body && { "Content-Type": isJson ? "application/json" : "application/octet-stream" }),
      ...headers,
    },
    body: isJson ? JSON.stringify(body) : body,
  });
  const content = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw Object.assign(new Error(content?.error?.message ?? `Omma answers ${answer.status}.`), { status: answer.status, ...content?.error });
  return content;
}

function show(words, share) {
  part("words").textContent = words;
  part("bar").value = share * 100;
}

async function hashOf(file) {
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += PART_BYTES) {
    stop.signal.throwIfAborted();
    hash.add(new Uint8Array(await file.slice(at, at + PART_BYTES).arrayBuffer()));
    show(`Reading the file: ${Math.round((at / file.size) * 100)} %`, at / file.size);
  }
  return hash.hex();
}

async function sendAll(file, video) {
  let at = video.received_bytes;
  let tries = 0;
  while (at < file.size) {
    show(`Sending: ${Math.round((at / file.size) * 100)} %`, at / file.size);
    try {
      const body = file.slice(at, at + PART_BYTES);
      at = (await ask("PATCH", `/api/v1/videos/${video.id}/`, body, { "Upload-Offset": String(at) })).received_bytes;
      tries = 0;
    } catch (error) {
      if (error.code === "wrong_offset") at = error.detail.received_bytes;
      else if (error.name === "AbortError" || (error.status && error.status < 500) || tries >= TRIES) throw error;
      else {
        tries += 1;
        await new Promise((resolve) => { setTimeout(resolve, 500 * 2 ** tries); });
      }
    }
  }
}

function said(file, sha256) {
  const account = field("account")?.value || form.dataset.account;
  const start = field("start").value;
  return {
    ...(account && { account }),
    name: field("name").value.trim(),
    size_bytes: file.size,
    sha256,
    start: start ? `${start}Z` : null,
    models: [...form.querySelectorAll("input[name=models]:checked")].map(({ value }) => ({ model_version: value })),
  };
}

function setBusy(isBusy) {
  part("coming").hidden = !isBusy;
  for (const one of form.querySelectorAll(".field input, .row button")) one.disabled = isBusy;
}

async function send(file) {
  stop = new AbortController();
  setBusy(true);
  let video = null;
  try {
    video = await ask("POST", "/api/v1/videos/", said(file, await hashOf(file)));
    await sendAll(file, video);
    await ask("POST", `/api/v1/videos/${video.id}/finish/`);
    window.location.assign(form.dataset.done);
  } catch (error) {
    stop = null;
    setBusy(false);
    if (video) await ask("DELETE", `/api/v1/videos/${video.id}/`).catch(() => null);
    if (error.name === "AbortError") return;
    part("problem-words").textContent = error.message;
    part("problem").hidden = false;
    part("problem").focus();
  }
}

form?.addEventListener("submit", (event) => {
  const file = field("file").files[0];
  if (!file || !field("name").value.trim()) return; // an address, or the server says what is missing
  event.preventDefault();
  part("problem").hidden = true;
  send(file);
});
form && part("stop").addEventListener("click", () => stop?.abort());
form && field("file").addEventListener("change", ({ target }) => {
  if (!field("name").value && target.files[0]) field("name").value = target.files[0].name.replace(/\.[^.]+$/, "").slice(0, 120);
});
