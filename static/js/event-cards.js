// Cards of events play in place while the pointer rests on them or the keyboard is in them; none where motion is unwanted.

const REST_MS = 350;
const isStill = matchMedia("(prefers-reduced-motion: reduce)");
let timer = null;
let playing = null;

function stop() {
  clearTimeout(timer);
  playing?.remove();
  playing = null;
}

function play(card) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, loop: true, playsInline: true, src: card.dataset.clip, tabIndex: -1 });
  video.setAttribute("aria-hidden", "true");
  video.addEventListener("error", () => video.remove());
  card.querySelector(".thumb").append(video);
  video.play().catch(() => {});
  playing = video;
}

function begin({ target }) {
  const card = target.closest?.("[data-clip]");
  if (playing && card?.contains(playing)) return;
  stop();
  if (card && !isStill.matches) timer = setTimeout(() => play(card), REST_MS);
}

document.addEventListener("pointerover", (event) => { if (event.pointerType === "mouse") begin(event); });
document.addEventListener("focusin", begin);
document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); });
