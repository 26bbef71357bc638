// A recording that still grows: what has come in the meantime is played on, from where the video ended.

const video = document.querySelector("video.player");
const facts = document.querySelector("[data-follow=recording]");

function reload() {
  const address = facts?.dataset.video;
  if (!video) {
    if (address) window.location.reload(); // the first pictures are there
    return;
  }
  if (!address || video.getAttribute("src") === address || !video.ended) return;
  const at = video.currentTime;
  video.src = address;
  video.currentTime = at;
  video.play().catch(() => {});
}

video?.addEventListener("ended", reload);
document.addEventListener("omma:refreshed", reload);
