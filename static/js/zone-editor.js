// A polygon drawn on a picture: click adds a point, drag or arrow keys move one, Delete removes it.
// The form's hidden field holds the points as JSON, 0–1 of the picture's width and height.

const STEP = 0.01;

class ZoneEditor {
  constructor(root) {
    this.root = root;
    this.field = document.getElementById(root.dataset.field);
    this.shape = root.querySelector("polygon");
    this.count = document.getElementById(root.dataset.count);
    this.points = this.read();
    root.querySelector("svg").addEventListener("click", (event) => this.addAt(event));
    document.querySelector(`[data-clear="${this.field.id}"]`)?.addEventListener("click", () => this.clear());
    document.querySelector(`[data-add-point="${this.field.id}"]`)?.addEventListener("click", () => this.addBetween());
    this.keepShape(root.querySelector("img"));
    this.render();
  }

  // The frame takes the picture's own shape, so that nothing is stretched; the stream's, before there is a picture.
  keepShape(picture) {
    const apply = (width, height) => {
      if (Number(width) && Number(height)) this.root.style.aspectRatio = `${width} / ${height}`;
    };
    apply(this.root.dataset.width, this.root.dataset.height);
    picture?.addEventListener("load", () => apply(picture.naturalWidth, picture.naturalHeight));
    picture?.addEventListener("error", () => { picture.hidden = true; });
  }

  read() {
    try {
      const points = JSON.parse(this.field.value || "[]");
      return Array.isArray(points) ? points : [];
    } catch {
      return [];
    }
  }

  addAt(event) {
    const frame = this.root.getBoundingClientRect();
    const point = [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
    this.points.splice(this.bestPlaceFor(point), 0, point.map(clamp));
    this.render();
  }

  // A new point goes into the edge that it lengthens least.
  bestPlaceFor(point) {
    if (this.points.length < 3) return this.points.length;
    const detour = this.points.map((from, index) => {
      const to = this.points[(index + 1) % this.points.length];
      return distance(from, point) + distance(point, to) - distance(from, to);
    });
    return detour.indexOf(Math.min(...detour)) + 1;
  }

  addBetween() {
    if (this.points.length < 3) {
      this.points = [[0.3, 0.3], [0.7, 0.3], [0.7, 0.8], [0.3, 0.8]];
    } else {
      const [[ax, ay], [bx, by]] = [this.points.at(-1), this.points[0]];
      this.points.push([(ax + bx) / 2, (ay + by) / 2]);
    }
    this.render();
    this.root.querySelectorAll(".handle").item(this.points.length - 1)?.focus();
  }

  clear() {
    this.points = [];
    this.render();
  }

  render() {
    for (const old of this.root.querySelectorAll(".handle")) old.remove();
    this.points.forEach((point, index) => this.root.append(this.makeHandle(point, index)));
    this.write();
  }

  write() {
    this.shape.setAttribute("points", this.points.map(([x, y]) => `${x * 100},${y * 100}`).join(" "));
    this.field.value = JSON.stringify(this.points.map((point) => point.map((value) => Math.round(value * 1e4) / 1e4)));
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
    if (this.count) {
      this.count.textContent = this.points.length
        ? `${this.points.length} points`
        : "No zone: the rule looks everywhere.";
    }
  }

  makeHandle(point, index) {
    const handle = document.createElement("button");
    handle.type = "button";
    handle.className = "handle";
    handle.setAttribute("aria-label", `Point ${index + 1}: arrow keys move it, Delete removes it`);
    const place = () => {
      handle.style.left = `${point[0] * 100}%`;
      handle.style.top = `${point[1] * 100}%`;
    };
    const moveTo = (x, y) => {
      point[0] = clamp(x);
      point[1] = clamp(y);
      place();
      this.write();
    };
    handle.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
      const move = moves[event.key];
      if (move) moveTo(point[0] + move[0], point[1] + move[1]);
      else if (event.key === "Delete" || event.key === "Backspace") {
        this.points.splice(index, 1);
        this.render();
      } else return;
      event.preventDefault();
    });
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.onpointermove = ({ clientX, clientY }) => {
        const frame = this.root.getBoundingClientRect();
        moveTo((clientX - frame.left) / frame.width, (clientY - frame.top) / frame.height);
      };
    });
    handle.addEventListener("pointerup", () => { handle.onpointermove = null; });
    place();
    return handle;
  }
}

const clamp = (value) => Math.min(1, Math.max(0, value));
const distance = ([ax, ay], [bx, by]) => Math.hypot(ax - bx, ay - by);

for (const root of document.querySelectorAll(".zone[data-field]")) new ZoneEditor(root);
