// A WebSocket that comes back: back-off from half a second to ten.

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 10_000;
const LASTED_MS = 5_000; // a connection that held this long was a good one
const FINAL_CODES = new Set([4400, 4401, 4403, 4404]);

export class LastingSocket {
  // `address()` is asked at each connect; `handlers` has open, message and down, all optional.
  constructor(address, handlers) {
    this.address = address;
    this.handlers = handlers;
    this.delay = FIRST_DELAY_MS;
    this.isWanted = true;
    this.connect();
  }

  connect() {
    const url = new URL(this.address(), window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.openedMs = Date.now();
      this.handlers.open?.(this);
    };
    socket.onmessage = (event) => this.handlers.message?.(event.data, this);
    socket.onclose = (event) => this.afterClose(socket, event);
  }

  afterClose(socket, { code, reason }) {
    if (socket !== this.socket || !this.isWanted) return;
    const isFinal = FINAL_CODES.has(code);
    if (Date.now() - (this.openedMs ?? Infinity) > LASTED_MS) this.delay = FIRST_DELAY_MS;
    const retryInMs = this.delay * (0.75 + Math.random() / 2);
    this.delay = Math.min(this.delay * 2, LAST_DELAY_MS);
    this.handlers.down?.({ isFinal, code, reason, retryInMs });
    if (!isFinal) this.timer = setTimeout(() => this.connect(), retryInMs);
  }

  send(value) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(value));
  }

  close() {
    this.isWanted = false;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
