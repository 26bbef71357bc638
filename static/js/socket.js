// A WebSocket that comes back: back-off from half a second to ten, none while the tab is hidden.

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 10_000;
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
      this.delay = FIRST_DELAY_MS;
      this.handlers.open?.(this);
    };
    socket.onmessage = (event) => this.handlers.message?.(event.data, this);
    socket.onclose = (event) => {
      if (socket !== this.socket) return;
      const isFinal = FINAL_CODES.has(event.code);
      this.handlers.down?.({ isFinal, code: event.code, reason: event.reason, retryInMs: this.delay });
      if (!this.isWanted || isFinal) return;
      this.timer = setTimeout(() => this.connect(), this.delay * (0.75 + Math.random() / 2));
      this.delay = Math.min(this.delay * 2, LAST_DELAY_MS);
    };
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
