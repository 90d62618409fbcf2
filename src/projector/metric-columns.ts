// Parsed metric lines as columns, which pass from thread to thread for less than it costs to parse the lines.
import type { EventOf } from '../events/event.ts';
import { MAX_LINE_BYTES, type ParsedLine } from '../events/parse.ts';
import { contentEnd, lineParser, nextLineFeed } from './framing.ts';

/** A metric whose values are all finite, and its `extra` as the row has it. */
export type MetricLine = { kind: 'event'; event: EventOf<'metric'>; extraJson: string | null };

/** Where columns are written, on memory that both threads see: of 280 MB of lines nothing is to be copied. */
export interface ColumnSpace {
  /** NUMBERS for each line; NaN is null. */
  numbers: Float64Array;
  /** PLACES for each line. */
  places: Int32Array;
  /** The values of each `extra`, one after the other. */
  extraValues: Float64Array;
}

/** The metric lines of a chunk with finite values alone, save the numbers. Other lines the reader has to parse. */
export interface MetricColumns {
  lines: number;
  /** The names of an `extra`, for each set of names. */
  extraNames: string[][];
  /** Run ids and attempts. */
  words: string[];
  /** TS_LENGTH characters for each line. */
  ts: string;
  /** Each `extra` as JSON, one after the other. */
  extraJson: string;
}

export interface SpacedColumns {
  columns: MetricColumns;
  space: ColumnSpace;
}

/** elapsed_seconds, seq, epoch, step, the four metrics, gpu_memory_mb. */
const NUMBERS = 9;
/** Begin and end in the chunk, run id, attempt, the names of `extra` (NONE: absent), the end of its JSON. */
const PLACES = 6;
const NONE = -1;
const TS_LENGTH = 24;
/** The least that a metric line takes. */
const LINE_BYTES = 96;
/** Of lines with more values of `extra` than one for so many bytes, some find no room: the reader parses them. */
const EXTRA_VALUE_BYTES = 16;

/** A chunk with so many more lines for the reader than metric lines is left to the reader, who would parse it all again. */
const MAX_OTHERS = 64;

/** Enough for a chunk of so many bytes. */
export function columnSpace(bytes: number): ColumnSpace {
  const lines = Math.ceil(bytes / LINE_BYTES);
  return {
    numbers: new Float64Array(shared(lines * NUMBERS * Float64Array.BYTES_PER_ELEMENT)),
    places: new Int32Array(shared(lines * PLACES * Int32Array.BYTES_PER_ELEMENT)),
    extraValues: new Float64Array(
      shared(Math.ceil(bytes / EXTRA_VALUE_BYTES) * Float64Array.BYTES_PER_ELEMENT),
    ),
  };
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}

/** Parses the lines of a chunk that begins with a line, up to where most are of no use here. */
export function metricColumns(bytes: Buffer, space: ColumnSpace): MetricColumns {
  const columns = new ColumnWriter(space);
  const parse = lineParser(bytes);
  let at = 0;
  let others = 0;
  for (let lf = nextLineFeed(bytes, 0); lf !== -1; lf = nextLineFeed(bytes, at)) {
    const end = contentEnd(bytes, at, lf);
    if (end > at) {
      const isMetric = end - at <= MAX_LINE_BYTES && columns.add(parse(at, end), at, end);
      if (!isMetric) others += 1;
      if (others > columns.lines + MAX_OTHERS) break;
    }
    at = lf + 1;
  }
  return columns.finish();
}

class ColumnWriter {
  readonly #space: ColumnSpace;
  readonly #ts: string[] = [];
  readonly #extraJson: string[] = [];
  readonly #words = new Map<string, number>();
  readonly #extraNames: string[][] = [];
  #lines = 0;
  #extraCount = 0;
  #jsonEnd = 0;

  constructor(space: ColumnSpace) {
    this.#space = space;
  }

  get lines(): number {
    return this.#lines;
  }

  /** Whether it is one of the metric lines now. */
  add(line: ParsedLine, at: number, end: number): boolean {
    if (line.kind !== 'event' || line.event.type !== 'metric') return false;
    const { event } = line;
    const { elapsed_seconds, seq, epoch, step, loss, f1, fitness, behavioral_comparison, gpu_memory_mb } =
      event;
    const hasText =
      typeof loss === 'string' ||
      typeof f1 === 'string' ||
      typeof fitness === 'string' ||
      typeof behavioral_comparison === 'string' ||
      typeof gpu_memory_mb === 'string';
    if (hasText || (this.#lines + 1) * PLACES > this.#space.places.length) return false;
    const names = this.#addExtra(event.extra ?? undefined);
    if (names === undefined) return false;
    const { numbers, places } = this.#space;
    const number = this.#lines * NUMBERS;
    numbers[number] = elapsed_seconds;
    numbers[number + 1] = seq ?? Number.NaN;
    numbers[number + 2] = epoch ?? Number.NaN;
    numbers[number + 3] = step ?? Number.NaN;
    numbers[number + 4] = loss ?? Number.NaN;
    numbers[number + 5] = f1 ?? Number.NaN;
    numbers[number + 6] = fitness ?? Number.NaN;
    numbers[number + 7] = behavioral_comparison ?? Number.NaN;
    numbers[number + 8] = gpu_memory_mb ?? Number.NaN;
    const attempt = event.attempt ?? undefined;
    const place = this.#lines * PLACES;
    places[place] = at;
    places[place + 1] = end;
    places[place + 2] = this.#word(event.run_id);
    places[place + 3] = attempt === undefined ? NONE : this.#word(attempt);
    places[place + 4] = names;
    places[place + 5] = this.#jsonEnd;
    this.#ts.push(event.ts);
    this.#lines += 1;
    return true;
  }

  finish(): MetricColumns {
    return {
      lines: this.#lines,
      extraNames: this.#extraNames,
      words: [...this.#words.keys()],
      ts: this.#ts.join(''),
      extraJson: this.#extraJson.join(''),
    };
  }

  #word(word: string): number {
    let index = this.#words.get(word);
    if (index === undefined) {
      index = this.#words.size;
      this.#words.set(word, index);
    }
    return index;
  }

  /** The index of its names, NONE if there is no extra, undefined if it is not for the columns. */
  #addExtra(extra: (EventOf<'metric'>['extra'] & object) | undefined): number | undefined {
    if (extra === undefined) return NONE;
    const names = Object.keys(extra);
    const { extraValues } = this.#space;
    if (names.length === 0 || this.#extraCount + names.length > extraValues.length) return undefined;
    for (const name of names) {
      // assigned to an object anew, it would be its prototype
      if (typeof extra[name] !== 'number' || name === '__proto__') return undefined;
    }
    for (const name of names) {
      extraValues[this.#extraCount] = extra[name] as number;
      this.#extraCount += 1;
    }
    const json = JSON.stringify(extra);
    this.#extraJson.push(json);
    this.#jsonEnd += json.length;
    return this.#namesIndex(names);
  }

  /** A run logs the same names again and again, so the last ones are looked at first. */
  #namesIndex(names: string[]): number {
    const known = this.#extraNames.findLastIndex((other) => isEqual(names, other));
    return known === -1 ? this.#extraNames.push(names) - 1 : known;
  }
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

/** Asked for the lines of the chunk from its start to its end. */
export class ColumnReader {
  readonly #columns: MetricColumns;
  readonly #space: ColumnSpace;
  #index = 0;
  #extraAt = 0;
  #jsonAt = 0;

  constructor({ columns, space }: SpacedColumns) {
    this.#columns = columns;
    this.#space = space;
  }

  /** The line from `at` to `end`, or undefined if it is not in the columns. */
  lineAt(at: number, end: number): MetricLine | undefined {
    const { places } = this.#space;
    const { lines } = this.#columns;
    while (this.#index < lines && (places[this.#index * PLACES] ?? 0) < at) this.#take();
    const place = this.#index * PLACES;
    if (this.#index === lines || places[place] !== at || places[place + 1] !== end) return undefined;
    return this.#take();
  }

  #take(): MetricLine {
    const { numbers, places } = this.#space;
    const { words, ts } = this.#columns;
    const number = this.#index * NUMBERS;
    const place = this.#index * PLACES;
    const extra = this.#extra(this.#columns.extraNames[places[place + 4] ?? NONE]);
    const jsonEnd = places[place + 5] ?? 0;
    const extraJson = extra === null ? null : this.#columns.extraJson.slice(this.#jsonAt, jsonEnd);
    this.#jsonAt = jsonEnd;
    const event: EventOf<'metric'> = {
      type: 'metric',
      ts: ts.slice(this.#index * TS_LENGTH, (this.#index + 1) * TS_LENGTH),
      seq: orNull(numbers[number + 1]),
      run_id: words[places[place + 2] ?? NONE] ?? '',
      attempt: words[places[place + 3] ?? NONE] ?? null,
      elapsed_seconds: numbers[number] ?? 0,
      epoch: orNull(numbers[number + 2]),
      step: orNull(numbers[number + 3]),
      loss: orNull(numbers[number + 4]),
      f1: orNull(numbers[number + 5]),
      fitness: orNull(numbers[number + 6]),
      behavioral_comparison: orNull(numbers[number + 7]),
      gpu_memory_mb: orNull(numbers[number + 8]),
      extra,
    };
    this.#index += 1;
    return { kind: 'event', event, extraJson };
  }

  #extra(names: readonly string[] | undefined): Record<string, number> | null {
    if (names === undefined) return null;
    const extra: Record<string, number> = {};
    for (let index = 0; index < names.length; index += 1) {
      extra[names[index] ?? ''] = this.#space.extraValues[this.#extraAt + index] ?? 0;
    }
    this.#extraAt += names.length;
    return extra;
  }
}

function orNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
