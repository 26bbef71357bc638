// SHA-256 of a file read in pieces. The browser's own needs the whole file in memory and a secure context, which a
// page over plain HTTP in one's own network is not. (FIPS 180-4)

const BLOCK = 64;
const primes = (count) => {
  const found = [];
  for (let number = 2; found.length < count; number += 1) if (found.every((prime) => number % prime)) found.push(number);
  return found;
};
// The first 32 bits of the fractional parts of roots of primes.
// Signed numbers: those above 2³¹ would be floating.
const fraction = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
const ROUND = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));

export class Sha256 {
  constructor() {
    this.state = Int32Array.from(START);
    this.words = new Int32Array(BLOCK);
    this.rest = new Uint8Array(0);
    this.length = 0;
  }

  add(bytes) {
    this.length += bytes.length;
    let data = bytes;
    if (this.rest.length) {
      data = new Uint8Array(this.rest.length + bytes.length);
      data.set(this.rest);
      data.set(bytes, this.rest.length);
    }
    const whole = data.length - (data.length % BLOCK);
    for (let at = 0; at < whole; at += BLOCK) this.#mix(data, at);
    this.rest = data.slice(whole);
  }

  hex() {
    const bits = this.length * 8;
    const end = new Uint8Array((this.rest.length < 56 ? 2 : 3) * BLOCK - BLOCK);
    end.set(this.rest);
    end[this.rest.length] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits >>> 0);
    for (let at = 0; at < end.length; at += BLOCK) this.#mix(end, at);
    return [...this.state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  // Plain variables throughout: taking lists apart in here makes it ten times slower.
  #mix(data, at) {
    const { words, state } = this;
    for (let i = 0; i < 16; i += 1) {
      const from = at + i * 4;
      words[i] = (data[from] << 24) | (data[from + 1] << 16) | (data[from + 2] << 8) | data[from + 3];
    }
    for (let i = 16; i < 64; i += 1) {
      const x = words[i - 15];
      const y = words[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3];
    let e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + words[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }
}
