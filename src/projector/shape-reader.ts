// Reads lines that have a shape: what is the same is compared, what differs goes where columns are written.
import { normalizeTimestamp } from '../events/timestamp.ts';
import { EXACT_DIGITS, MORE_DIGITS, NearestDouble, POWERS_OF_TEN } from './decimal.ts';
import { EXTRA, NUMBER_FIELDS, SEQ, STEP, TS, TS_LENGTH, type LineShape } from './line-shape.ts';

const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const SIX = 0x36;
const NINE = 0x39;
const UPPER_E = 0x45;
const UPPER_Z = 0x5a;
const LOWER_E = 0x65;
const CLOSING_BRACE = 0x7d;
/** Where they are in a time. */
const SECONDS = 17;

/** The longest number as JSON, and a brace. */
const VALUE_LENGTH = 26;

/** Where the parts of a line are written. */
export interface LineSpace {
  numbers: Float64Array;
  ts: Uint8Array;
  extraValues: Float64Array;
  extraJson: Uint8Array;
}

export class ShapeReader {
  readonly #bytes: Buffer;
  readonly #space: LineSpace;
  readonly #double = new NearestDouble();
  #at = 0;
  /** Where a time is that is known to be one: most are of the same minute as the one before. */
  #knownTs = -1;
  /** Whether the number read last is written just as JSON has it. */
  #isPlain = false;
  #extraEnd = 0;
  #jsonEnd = 0;

  constructor(bytes: Buffer, space: LineSpace) {
    this.#bytes = bytes;
    this.#space = space;
  }

  /** Where the values of the `extra` of the line read last end, and its JSON. */
  get extraEnd(): number {
    return this.#extraEnd;
  }

  get jsonEnd(): number {
    return this.#jsonEnd;
  }

  /**
   * Whether the line from `at` to `end` has the shape, and so is a valid metric. If so its parts are where those of the
   * `line`-th line belong, its `extra` from `extraAt` and `jsonAt` on.
   */
  read(shape: LineShape, at: number, end: number, line: number, extraAt: number, jsonAt: number): boolean {
    const { literals, slots } = shape;
    const bytes = this.#bytes;
    const { numbers } = this.#space;
    const number = line * NUMBER_FIELDS.length;
    numbers.fill(Number.NaN, number, number + NUMBER_FIELDS.length);
    this.#extraEnd = extraAt;
    this.#jsonEnd = jsonAt;
    this.#at = at;
    for (let nth = 0; nth < literals.length; nth += 1) {
      const literal = literals[nth] as Uint8Array;
      const from = this.#at;
      for (let index = 0; index < literal.length; index += 1) {
        if (bytes[from + index] !== literal[index]) return false;
      }
      this.#at = from + literal.length;
      if (nth === slots.length) break;
      const slot = slots[nth] as number;
      if (slot === TS) {
        if (!this.#readTs(line * TS_LENGTH)) return false;
        continue;
      }
      const start = this.#at;
      const value = this.#readNumber();
      // NaN if there is none; too great for a double is not valid
      if (!Number.isFinite(value)) return false;
      if (slot === EXTRA) {
        if (!this.#writeExtra(shape, extraAt, value, start)) return false;
        continue;
      }
      // seq, epoch, step
      if (slot >= SEQ && slot <= STEP && !Number.isSafeInteger(value)) return false;
      if (slot === SEQ && value < 1) return false;
      numbers[number + slot] = value;
    }
    if (this.#extraEnd > extraAt) {
      this.#space.extraJson[this.#jsonEnd] = CLOSING_BRACE;
      this.#jsonEnd += 1;
    }
    return this.#at === end;
  }

  #readTs(to: number): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at = at + TS_LENGTH;
    if (this.#knownTs === -1 || !this.#isInMinuteOf(this.#knownTs, at)) {
      const text = bytes.toString('latin1', at, at + TS_LENGTH);
      if (normalizeTimestamp(text) !== text) return false;
    }
    this.#knownTs = at;
    const { ts } = this.#space;
    for (let index = 0; index < TS_LENGTH; index += 1) ts[to + index] = bytes[at + index] as number;
    return true;
  }

  #isInMinuteOf(known: number, at: number): boolean {
    const bytes = this.#bytes;
    for (let index = 0; index < SECONDS; index += 1) {
      if (bytes[at + index] !== bytes[known + index]) return false;
    }
    const seconds = at + SECONDS;
    return (
      isDigit(bytes[seconds]) &&
      (bytes[seconds] as number) < SIX &&
      isDigit(bytes[seconds + 1]) &&
      bytes[seconds + 2] === DOT &&
      isDigit(bytes[seconds + 3]) &&
      isDigit(bytes[seconds + 4]) &&
      isDigit(bytes[seconds + 5]) &&
      bytes[seconds + 6] === UPPER_Z
    );
  }

  /** False if there is no room. `start` is where the value was read. */
  #writeExtra({ extraPieces }: LineShape, extraAt: number, value: number, start: number): boolean {
    const { extraValues, extraJson } = this.#space;
    const piece = extraPieces[this.#extraEnd - extraAt] as Uint8Array;
    let to = this.#jsonEnd;
    if (this.#extraEnd >= extraValues.length || to + piece.length + VALUE_LENGTH > extraJson.length)
      return false;
    for (let index = 0; index < piece.length; index += 1) extraJson[to + index] = piece[index] as number;
    to += piece.length;
    if (this.#isPlain) {
      for (let from = start; from < this.#at; from += 1, to += 1) extraJson[to] = this.#bytes[from] as number;
    } else {
      const text = String(value);
      for (let index = 0; index < text.length; index += 1, to += 1) extraJson[to] = text.charCodeAt(index);
    }
    extraValues[this.#extraEnd] = value;
    this.#extraEnd += 1;
    this.#jsonEnd = to;
    return true;
  }

  /** A number as JSON has them; NaN if there is none. */
  #readNumber(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    const isNegative = bytes[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    let at = first;
    let head = 0;
    let headDigits = 0;
    let tail = 0;
    let tailDigits = 0;
    let point = -1;
    let byte = bytes[at] ?? 0;
    for (; ; byte = bytes[(at += 1)] ?? 0) {
      if (byte === DOT && point === -1) {
        point = at;
        continue;
      }
      if (byte < ZERO || byte > NINE) break;
      if (headDigits < EXACT_DIGITS) {
        head = head * 10 + (byte - ZERO);
        // zeros in front do not count
        if (head !== 0) headDigits += 1;
      } else {
        tail = tail * 10 + (byte - ZERO);
        tailDigits += 1;
      }
    }
    const integerEnd = point === -1 ? at : point;
    const hasZeroInFront = bytes[first] === ZERO && integerEnd > first + 1;
    if (integerEnd === first || hasZeroInFront || point === at - 1) return Number.NaN;
    const decimals = point === -1 ? 0 : at - point - 1;
    let value = Number.NaN;
    if (byte === LOWER_E || byte === UPPER_E) {
      at = this.#exponentEnd(at + 1);
      if (at === -1) return Number.NaN;
    } else if (tailDigits <= MORE_DIGITS && tailDigits <= decimals && decimals < POWERS_OF_TEN.length) {
      this.#double.set(head, tail, tailDigits, decimals);
      ({ value } = this.#double);
    }
    this.#at = at;
    const isKnown = !Number.isNaN(value);
    // zero may be negative, which JSON has not
    this.#isPlain = isKnown && this.#double.isShortest && !(isNegative && value === 0);
    if (!isKnown) return Number(bytes.toString('latin1', start, at));
    return isNegative ? -value : value;
  }

  /** -1 if there is no exponent. */
  #exponentEnd(from: number): number {
    const bytes = this.#bytes;
    let at = bytes[from] === PLUS || bytes[from] === MINUS ? from + 1 : from;
    if (!isDigit(bytes[at])) return -1;
    while (isDigit(bytes[at])) at += 1;
    return at;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
