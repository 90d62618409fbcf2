// Lines of one kind differ in their numbers and time alone: the rest is compared, which is quicker than parsing it.
import { normalizeTimestamp } from '../events/timestamp.ts';
import { EXACT_DIGITS, MORE_DIGITS, nearestDouble, POWERS_OF_TEN } from './decimal.ts';

/** The numbers of a metric, in the order in which a shape gives them. */
export const NUMBER_FIELDS = [
  'elapsed_seconds', 'seq', 'epoch', 'step', 'loss', 'f1', 'fitness', 'behavioral_comparison', 'gpu_memory_mb',
] as const; // prettier-ignore

/** Those that have to be integers. */
const FIRST_INTEGER = NUMBER_FIELDS.indexOf('seq');
const LAST_INTEGER = NUMBER_FIELDS.indexOf('step');
const SEQ = FIRST_INTEGER;

/** In the place of the index of a number. */
const TS = -1;
const EXTRA = -2;
export const TS_LENGTH = 24;

/** Of JSON that is valid and has no escapes. */
const TOKENS = /"[^"]*"|-?\d[\d.eE+-]*|[a-z]+|[{}[\]:,]/g;

export interface LineShape {
  /** One more than slots: what is before each, and after the last one. */
  literals: readonly Uint8Array[];
  /** Indices of NUMBER_FIELDS, TS, EXTRA. */
  slots: readonly number[];
  /** What is before each value in the JSON of `extra`. */
  extraPieces: readonly Uint8Array[];
}

/**
 * The shape of a line that is a valid metric with finite values; undefined if there may be more in it than numbers can
 * make different.
 *
 * @param extraNames the names of its `extra`, in the order of its keys
 */
export function shapeOf(line: string, extraNames: readonly string[]): LineShape | undefined {
  if (line.includes('\\')) return undefined;
  const literals: Uint8Array[] = [];
  const slots: number[] = [];
  const keys = new Set<string>();
  const names: string[] = [];
  let depth = 0;
  let key = '';
  let isValue = false;
  let from = 0;
  for (const { 0: token, index } of line.matchAll(TOKENS)) {
    if (token === ':' || token === ',') isValue = token === ':';
    else if (token === '{') {
      if (depth > 1 || (depth === 1 && key !== 'extra')) return undefined;
      depth += 1;
      isValue = false;
    } else if (token === '}') depth -= 1;
    else if (token === '[') return undefined;
    else if (!isValue) {
      key = token.slice(1, -1);
      if (depth > 1) names.push(key);
      // of several the last counts, which is not worth telling apart
      else if (keys.has(key)) return undefined;
      else keys.add(key);
    } else {
      const slot = slotOf(token, key, depth);
      if (slot === undefined) continue;
      const at = slot === TS ? index + 1 : index;
      literals.push(Buffer.from(line.slice(from, at)));
      slots.push(slot);
      from = at + (slot === TS ? TS_LENGTH : token.length);
    }
  }
  literals.push(Buffer.from(line.slice(from)));
  const isComplete = slots.includes(TS) && isEqual(names, extraNames);
  if (!isComplete) return undefined;
  const extraPieces = names.map((name, nth) =>
    Buffer.from(`${nth === 0 ? '{' : ','}${JSON.stringify(name)}:`),
  );
  return { literals, slots, extraPieces };
}

function slotOf(token: string, key: string, depth: number): number | undefined {
  if (depth > 1) return EXTRA;
  if (key === 'ts') return normalizeTimestamp(token.slice(1, -1)) === token.slice(1, -1) ? TS : undefined;
  const number = (NUMBER_FIELDS as readonly string[]).indexOf(key);
  return number === -1 || token === 'null' ? undefined : number;
}

export function isEqual(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const SIX = 0x36;
const NINE = 0x39;
const LOWER_E = 0x65;
const UPPER_E = 0x45;
const UPPER_Z = 0x5a;
/** Where they are in a time. */
const SECONDS = 17;

/** Reads lines of a chunk that have a shape. */
export class ShapeReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** A time that is known to be one, and where it is: most are of the same minute as the one before. */
  #ts = -1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Where the `ts` of the line read last begins, of TS_LENGTH characters. */
  get tsAt(): number {
    return this.#ts;
  }

  /**
   * Whether the line from `at` to `end` has the shape. If so it is a valid metric, and its numbers are in `numbers`
   * from `number` on, those of its `extra` in `extras` from `extra` on.
   */
  read(
    { literals, slots }: LineShape,
    at: number,
    end: number,
    numbers: Float64Array,
    number: number,
    extras: Float64Array,
    extra: number,
  ): boolean {
    const bytes = this.#bytes;
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
        if (!this.#readTs()) return false;
        continue;
      }
      const value = this.#readNumber();
      // NaN if there is none; too great for a double is not valid
      if (!Number.isFinite(value)) return false;
      if (slot === EXTRA) {
        extras[extra] = value;
        extra += 1;
        continue;
      }
      if (slot >= FIRST_INTEGER && slot <= LAST_INTEGER && !Number.isSafeInteger(value)) return false;
      if (slot === SEQ && value < 1) return false;
      numbers[number + slot] = value;
    }
    return this.#at === end;
  }

  #readTs(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at = at + TS_LENGTH;
    if (this.#ts === -1 || !this.#isInMinuteOf(this.#ts, at)) {
      const ts = bytes.toString('latin1', at, at + TS_LENGTH);
      if (normalizeTimestamp(ts) !== ts) return false;
    }
    this.#ts = at;
    return true;
  }

  #isInMinuteOf(known: number, at: number): boolean {
    const bytes = this.#bytes;
    for (let index = 0; index < SECONDS; index += 1) if (bytes[at + index] !== bytes[known + index]) return false;
    return (
      isDigit(bytes[at + SECONDS]) &&
      (bytes[at + SECONDS] as number) < SIX &&
      isDigit(bytes[at + SECONDS + 1]) &&
      bytes[at + SECONDS + 2] === DOT &&
      isDigit(bytes[at + SECONDS + 3]) &&
      isDigit(bytes[at + SECONDS + 4]) &&
      isDigit(bytes[at + SECONDS + 5]) &&
      bytes[at + SECONDS + 6] === UPPER_Z
    );
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
      if (byte === DOT && point === -1 && at > first) {
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
      value = nearestDouble(head, tail, tailDigits, decimals);
    }
    this.#at = at;
    if (Number.isNaN(value)) return Number(bytes.toString('latin1', start, at));
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
