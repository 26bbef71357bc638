// Buttons that copy what another element says.

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    const words = button.querySelector("span") ?? button;
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      words.textContent = "Copied";
    } catch {
      window.getSelection().selectAllChildren(source);
      words.textContent = "Selected: copy it with the keyboard";
    }
  });
}
