// The last bytes of a stream, in memory of a fixed size however it comes.

export class Tail {
  readonly #limit: number;
  readonly #buffer: Buffer;
  #length = 0;
  #isCut = false;

  /** Keeps the last `limit` bytes. */
  constructor(limit: number) {
    this.#limit = limit;
    // twice, so that a byte is moved once only
    this.#buffer = Buffer.alloc(2 * limit);
  }

  add(chunk: Uint8Array): void {
    const kept = chunk.subarray(Math.max(0, chunk.length - this.#limit));
    if (kept.length < chunk.length) this.#isCut = true;
    if (this.#length + kept.length > this.#buffer.length) {
      this.#buffer.copyWithin(0, this.#length - this.#limit, this.#length);
      this.#length = this.#limit;
      this.#isCut = true;
    }
    this.#buffer.set(kept, this.#length);
    this.#length += kept.length;
  }

  /** As text, with U+FFFD where it is not UTF-8; without the part of a character that the cut left at its beginning. */
  text(): string {
    const from = Math.max(0, this.#length - this.#limit);
    const text = this.#buffer.subarray(from, this.#length);
    if (!this.#isCut && from === 0) return text.toString();
    // at most three bytes come after the first one of a character
    const whole = text.subarray(0, 4).findIndex((byte) => (byte & 0xc0) !== 0x80);
    return text.subarray(Math.max(0, whole)).toString();
  }
}
