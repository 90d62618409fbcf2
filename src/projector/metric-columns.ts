// Parsed metric lines as columns, which pass from thread to thread for less than it costs to parse the lines.
import type { EventOf } from '../events/event.ts';
import { MAX_LINE_BYTES, type ParsedLine } from '../events/parse.ts';
import { contentEnd, lineParser, nextLineFeed } from './framing.ts';
import { isEqual, NUMBER_FIELDS, shapeOf, TS_LENGTH, type LineShape } from './line-shape.ts';
import { ShapeReader, type LineSpace } from './shape-reader.ts';

/** Where columns are written, on memory that both threads see: of 280 MB of lines nothing is to be copied. */
export interface ColumnSpace extends LineSpace {
  /** NUMBERS for each line; NaN is null. */
  numbers: Float64Array;
  /** PLACES for each line. */
  places: Int32Array;
  /** TS_LENGTH characters for each line. */
  ts: Uint8Array;
  /** The values of each `extra`, one after the other. */
  extraValues: Float64Array;
  /** Each `extra` as JSON, one after the other. */
  extraJson: Uint8Array;
}

/** The metric lines of a chunk with finite values alone, save the numbers. Other lines the reader has to parse. */
export interface MetricColumns {
  lines: number;
  /** The names of an `extra`, for each set of names. */
  extraNames: string[][];
  /** Run ids and attempts. */
  words: string[];
  /** Bytes of `extraJson`. */
  extraJsonLength: number;
}

export interface SpacedColumns {
  columns: MetricColumns;
  space: ColumnSpace;
}

export const NUMBERS = NUMBER_FIELDS.length;
/** Begin and end in the chunk, run id, attempt, the names of `extra` (NONE: absent), the end of its JSON. */
export const PLACES = 6;
export const NONE = -1;
/** The least that a metric line takes. */
const LINE_BYTES = 96;
/** Of lines with more values of `extra` than one for so many bytes, some find no room: the reader parses them. */
const EXTRA_VALUE_BYTES = 16;

/** Of the shapes of lines those seen last are known: a run or two, with and without what is logged more seldom. */
const MAX_SHAPES = 4;
/** To learn a shape costs as much as parsing some lines: it is done again when it has paid. */
const LINES_A_SHAPE = 8;
const FREE_SHAPES = 8;

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
    extraJson: new Uint8Array(shared(bytes)),
    ts: new Uint8Array(shared(lines * TS_LENGTH)),
  };
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}

/** Parses the lines of a chunk that begins with a line, up to where most are of no use here. */
export function metricColumns(bytes: Buffer, space: ColumnSpace): MetricColumns {
  const columns = new ColumnWriter(bytes, space);
  const parse = lineParser(bytes);
  let at = 0;
  let others = 0;
  for (let lf = nextLineFeed(bytes, 0); lf !== -1; lf = nextLineFeed(bytes, at)) {
    const end = contentEnd(bytes, at, lf);
    if (end > at) {
      const isMetric =
        end - at <= MAX_LINE_BYTES && (columns.addAlike(at, end) || columns.add(parse(at, end), at, end));
      if (!isMetric) others += 1;
      if (others > columns.lines + MAX_OTHERS) break;
    }
    at = lf + 1;
  }
  return columns.finish();
}

/** What lines of a shape have in common, as the columns have it. */
interface KnownShape {
  shape: LineShape;
  runId: number;
  attempt: number;
  names: number;
}

class ColumnWriter {
  readonly #bytes: Buffer;
  readonly #space: ColumnSpace;
  readonly #reader: ShapeReader;
  /** The one that fitted last is the first. */
  readonly #shapes: KnownShape[] = [];
  #shapesLearnt = 0;
  readonly #words = new Map<string, number>();
  readonly #extraNames: string[][] = [];
  #lines = 0;
  #extraCount = 0;
  #jsonEnd = 0;

  constructor(bytes: Buffer, space: ColumnSpace) {
    this.#bytes = bytes;
    this.#space = space;
    this.#reader = new ShapeReader(bytes, space);
  }

  get lines(): number {
    return this.#lines;
  }

  /** Whether the line has the shape of one that was added, and is one of the metric lines now. */
  addAlike(at: number, end: number): boolean {
    if (!this.#hasRoom()) return false;
    const reader = this.#reader;
    for (let nth = 0; nth < this.#shapes.length; nth += 1) {
      const known = this.#shapes[nth] as KnownShape;
      if (!reader.read(known.shape, at, end, this.#lines, this.#extraCount, this.#jsonEnd)) continue;
      if (nth > 0) this.#shapes.unshift(...this.#shapes.splice(nth, 1));
      this.#extraCount = reader.extraEnd;
      this.#jsonEnd = reader.jsonEnd;
      this.#addPlaces(at, end, known);
      return true;
    }
    return false;
  }

  #hasRoom(): boolean {
    return (this.#lines + 1) * PLACES <= this.#space.places.length;
  }

  #addPlaces(at: number, end: number, { runId, attempt, names }: Omit<KnownShape, 'shape'>): void {
    const { places } = this.#space;
    const place = this.#lines * PLACES;
    places[place] = at;
    places[place + 1] = end;
    places[place + 2] = runId;
    places[place + 3] = attempt;
    places[place + 4] = names;
    places[place + 5] = this.#jsonEnd;
    this.#lines += 1;
  }

  #learn(known: Omit<KnownShape, 'shape'>, at: number, end: number): void {
    if (this.#shapesLearnt > FREE_SHAPES + this.#lines / LINES_A_SHAPE) return;
    this.#shapesLearnt += 1;
    const shape = shapeOf(this.#bytes.toString('utf8', at, end), this.#extraNames[known.names] ?? []);
    if (shape === undefined) return;
    this.#shapes.unshift({ shape, ...known });
    this.#shapes.splice(MAX_SHAPES);
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
    if (hasText || !this.#hasRoom()) return false;
    const names = this.#addExtra(event.extra ?? undefined);
    if (names === undefined) return false;
    const { numbers, ts } = this.#space;
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
    const runId = this.#word(event.run_id);
    const attempt = event.attempt === undefined || event.attempt === null ? NONE : this.#word(event.attempt);
    const known = { runId, attempt, names };
    const tsTo = this.#lines * TS_LENGTH;
    for (let index = 0; index < TS_LENGTH; index += 1) ts[tsTo + index] = event.ts.charCodeAt(index);
    this.#addPlaces(at, end, known);
    this.#learn(known, at, end);
    return true;
  }

  finish(): MetricColumns {
    return {
      lines: this.#lines,
      extraNames: this.#extraNames,
      words: [...this.#words.keys()],
      extraJsonLength: this.#jsonEnd,
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
    const { extraValues, extraJson } = this.#space;
    if (names.length === 0 || this.#extraCount + names.length > extraValues.length) return undefined;
    for (const name of names) {
      // assigned to an object anew, it would be its prototype
      if (typeof extra[name] !== 'number' || name === '__proto__') return undefined;
    }
    const json = Buffer.from(JSON.stringify(extra));
    if (this.#jsonEnd + json.length > extraJson.length) return undefined;
    extraJson.set(json, this.#jsonEnd);
    this.#jsonEnd += json.length;
    for (const name of names) {
      extraValues[this.#extraCount] = extra[name] as number;
      this.#extraCount += 1;
    }
    return this.#namesIndex(names);
  }

  /** A run logs the same names again and again, so the last ones are looked at first. */
  #namesIndex(names: string[]): number {
    const known = this.#extraNames.findLastIndex((other) => isEqual(names, other));
    return known === -1 ? this.#extraNames.push(names) - 1 : known;
  }
}
