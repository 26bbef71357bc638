// Makes a part of the page like a fresh copy of it, touching only what differs: pictures that stay are not loaded
// again, the focus stays where it is, and nothing jumps.

// What counts as different: neither the words that page.js wrote into times, nor tokens made anew for each answer, nor
// what the reader has unfolded.
function signature(node) {
  const copy = node.cloneNode(true);
  for (const time of copy.matches("time") ? [copy] : copy.querySelectorAll("time")) {
    time.textContent = "";
    time.removeAttribute("title");
  }
  for (const token of copy.querySelectorAll("input[name=csrfmiddlewaretoken]")) token.removeAttribute("value");
  for (const fold of copy.matches("details") ? [copy] : copy.querySelectorAll("details")) fold.removeAttribute("open");
  return copy.outerHTML.replace(/\s+/g, " ");
}

function hasWords(node) {
  return [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
}

function copyAttributes(from, to) {
  const isOwn = (name) => name === "open" && to.tagName === "DETAILS";
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name) && !isOwn(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value && !isOwn(name)) to.setAttribute(name, value);
}

function counterpart(child, candidates) {
  return candidates.find((old) => (child.id ? old.id === child.id : !old.id && old.tagName === child.tagName));
}

export function merge(old, fresh) {
  if (signature(old) === signature(fresh)) return;
  copyAttributes(fresh, old);
  if (hasWords(old) || hasWords(fresh) || !old.children.length || !fresh.children.length) {
    old.replaceChildren(...fresh.childNodes);
    return;
  }
  mergeChildren(old, fresh);
}

function mergeChildren(old, fresh) {
  const candidates = [...old.children];
  let place = old.firstElementChild;
  for (const child of [...fresh.children]) {
    const match = counterpart(child, candidates);
    if (match) {
      candidates.splice(candidates.indexOf(match), 1);
      merge(match, child);
    }
    const kept = match ?? child;
    if (kept === place) place = place.nextElementSibling;
    else old.insertBefore(kept, place);
  }
  for (const gone of candidates) gone.remove();
}
