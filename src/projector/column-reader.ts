// What metric-columns.ts has written, line by line: as events to be judged, or as rows where a glance is enough.
import type { EventOf } from '../events/event.ts';
import { isAscii } from 'node:buffer';
import { columnSums, pointSums, type PointSums } from './column-sums.ts';
import { SEQ, TS_LENGTH } from './line-shape.ts';
import { ROW_LENGTH, type MetricRow } from './event-row.ts';
import {
  NONE,
  NUMBERS,
  PLACES,
  type ColumnSpace,
  type MetricColumns,
  type SpacedColumns,
} from './metric-columns.ts';
import type { Point } from './series.ts';

/** A metric whose values are all finite, and its `extra` as the row has it. */
export type MetricLine = { kind: 'event'; event: EventOf<'metric'>; extraJson: string | null };

/** Consecutive lines of one run and attempt whose seq follow one another. */
export interface PlainLines {
  count: number;
  runId: string;
  /** Null: none was given. */
  attempt: string | null;
  /** The index after the last byte of the last one. */
  end: number;
  lastTs: string;
  /** Where each begins. */
  startOf(nth: number): number;
  /** Of the next `count`, which stay the next; undefined if they have to be added one by one. */
  sums(count: number): PointSums | undefined;
  /**
   * The next one as the row of a writer. Each is to be taken once, and what is returned is of use until the next call:
   * of a million lines the collector would have to clear it away.
   */
  next(writer: string): MetricRow;
  nextRow(writer: string): MetricRow['row'];
}

const NO_NAMES: readonly string[] = [];
/** Of so many lines the texts are made at once. */
const TEXT_LINES = 64;

/** Asked for the lines of the chunk from its start to its end. */
export class ColumnReader {
  readonly #columns: MetricColumns;
  readonly #space: ColumnSpace;
  readonly #isAscii: boolean;
  /** Of lines from `#textFrom` to `#textTo`: a string for all would be long, one for each is dear. */
  #ts = '';
  #json = '';
  #jsonFrom = 0;
  #textFrom = 0;
  #textTo = 0;
  readonly #next: MetricRow = { row: Array.from({ length: ROW_LENGTH }, () => null), point: newPoint() };
  #index = 0;
  #extraAt = 0;
  #jsonAt = 0;

  constructor({ columns, space }: SpacedColumns) {
    this.#columns = columns;
    this.#space = space;
    this.#isAscii = isAscii(textOf(space.extraJson, 0, columns.extraJsonLength));
  }

  /** The line from `at` to `end`, or undefined if it is not in the columns. */
  lineAt(at: number, end: number): MetricLine | undefined {
    if (!this.#isAt(at)) return undefined;
    return this.#space.places[this.#index * PLACES + 1] === end ? this.#take() : undefined;
  }

  /** The line at `at` and those after it, if it has this `seq`. All of them are to be taken. */
  linesAt(at: number, seq: number): PlainLines | undefined {
    if (!this.#isAt(at)) return undefined;
    const { places, numbers } = this.#space;
    const first = this.#index;
    let end = first;
    while (
      end < this.#columns.lines &&
      numbers[end * NUMBERS + 1] === seq + end - first &&
      (end === first || this.#follows(end, first))
    ) {
      end += 1;
    }
    if (end === first) return undefined;
    return {
      count: end - first,
      runId: this.#wordAt(first * PLACES + 2) ?? '',
      attempt: this.#wordAt(first * PLACES + 3),
      end: places[(end - 1) * PLACES + 1] ?? 0,
      lastTs: textOf(this.#space.ts, (end - 1) * TS_LENGTH, end * TS_LENGTH).toString('latin1'),
      startOf: (nth) => places[(first + nth) * PLACES] ?? 0,
      sums: (count) => this.#sums(count),
      next: (writer) => {
        this.#readPoint();
        return { ...this.#next, row: this.#takeRow(writer) };
      },
      nextRow: (writer) => this.#takeRow(writer),
    };
  }

  /** Whether the line is of the run and attempt of the first, and nothing is between it and the one before. */
  #follows(index: number, first: number): boolean {
    const { places } = this.#space;
    const place = index * PLACES;
    const begin = places[place] ?? 0;
    return (
      // CR LF, or LF and an empty line
      begin - (places[place - PLACES + 1] ?? 0) <= 2 &&
      places[place + 2] === places[first * PLACES + 2] &&
      places[place + 3] === places[first * PLACES + 3]
    );
  }

  /** Passes over lines before `at`. */
  #isAt(at: number): boolean {
    const { places } = this.#space;
    while (this.#index < this.#columns.lines && (places[this.#index * PLACES] ?? 0) < at) this.#take();
    return this.#index < this.#columns.lines && places[this.#index * PLACES] === at;
  }

  #take(): MetricLine {
    const { numbers } = this.#space;
    const number = this.#index * NUMBERS;
    const place = this.#index * PLACES;
    const event: EventOf<'metric'> = {
      type: 'metric',
      ts: this.#tsOfLine(),
      seq: orNull(numbers[number + 1]),
      run_id: this.#wordAt(place + 2) ?? '',
      attempt: this.#wordAt(place + 3),
      elapsed_seconds: numbers[number] ?? 0,
      epoch: orNull(numbers[number + 2]),
      step: orNull(numbers[number + 3]),
      loss: orNull(numbers[number + 4]),
      f1: orNull(numbers[number + 5]),
      fitness: orNull(numbers[number + 6]),
      behavioral_comparison: orNull(numbers[number + 7]),
      gpu_memory_mb: orNull(numbers[number + 8]),
      extra: this.#extra(),
    };
    const extraJson = this.#jsonOfLine();
    this.#goOn();
    return { kind: 'event', event, extraJson };
  }

  #sums(count: number): PointSums | undefined {
    const { numbers, extraValues } = this.#space;
    const first = this.#index;
    const firstSeq = numbers[first * NUMBERS + SEQ] ?? 0;
    const sums = pointSums(numbers, first, count, firstSeq);
    if (sums === undefined) return undefined;
    let extraAt = this.#extraAt;
    for (let line = first; line < first + count;) {
      const names = this.#extraNamesOf(line);
      let end = line + 1;
      while (end < first + count && this.#extraNamesOf(end) === names) end += 1;
      for (let nth = 0; nth < names.length; nth += 1) {
        const of = columnSums(extraValues, extraAt + nth, names.length, end - line, firstSeq + line - first);
        if (of !== null) sums.extra.push({ name: names[nth] ?? '', sums: of });
      }
      extraAt += names.length * (end - line);
      line = end;
    }
    return sums;
  }

  #readPoint(): void {
    const { numbers } = this.#space;
    const number = this.#index * NUMBERS;
    const { point } = this.#next;
    point.elapsedSeconds = (numbers[number] ?? 0) + 0;
    point.seq = numbers[number + 1] ?? 0;
    point.epoch = rowValue(numbers[number + 2]);
    point.step = rowValue(numbers[number + 3]);
    point.loss = rowValue(numbers[number + 4]);
    point.f1 = rowValue(numbers[number + 5]);
    point.fitness = rowValue(numbers[number + 6]);
    point.behavioral_comparison = rowValue(numbers[number + 7]);
    point.gpuMemoryMb = rowValue(numbers[number + 8]);
    point.extra = this.#extra();
  }

  #takeRow(writer: string): MetricRow['row'] {
    const { numbers } = this.#space;
    const number = this.#index * NUMBERS;
    const { row } = this.#next;
    row[0] = this.#wordAt(this.#index * PLACES + 2);
    row[1] = writer;
    row[2] = numbers[number + 1] ?? 0;
    row[3] = this.#tsOfLine();
    row[4] = (numbers[number] ?? 0) + 0;
    row[5] = rowValue(numbers[number + 2]);
    row[6] = rowValue(numbers[number + 3]);
    row[7] = rowValue(numbers[number + 4]);
    row[8] = rowValue(numbers[number + 5]);
    row[9] = rowValue(numbers[number + 6]);
    row[10] = rowValue(numbers[number + 7]);
    row[11] = rowValue(numbers[number + 8]);
    row[12] = this.#jsonOfLine();
    this.#goOn();
    return row;
  }

  #goOn(): void {
    this.#extraAt += this.#extraNamesOf(this.#index).length;
    this.#jsonAt = this.#space.places[this.#index * PLACES + 5] ?? 0;
    this.#index += 1;
  }

  #tsOfLine(): string {
    this.#bringText();
    const nth = this.#index - this.#textFrom;
    return this.#ts.slice(nth * TS_LENGTH, (nth + 1) * TS_LENGTH);
  }

  #jsonOfLine(): string | null {
    const { places, extraJson } = this.#space;
    const end = places[this.#index * PLACES + 5] ?? 0;
    if (end === this.#jsonAt) return null;
    if (!this.#isAscii) return textOf(extraJson, this.#jsonAt, end).toString('utf8');
    this.#bringText();
    return this.#json.slice(this.#jsonAt - this.#jsonFrom, end - this.#jsonFrom);
  }

  #bringText(): void {
    if (this.#index < this.#textTo) return;
    const { ts, extraJson, places } = this.#space;
    this.#textFrom = this.#index;
    this.#textTo = Math.min(this.#index + TEXT_LINES, this.#columns.lines);
    this.#ts = textOf(ts, this.#textFrom * TS_LENGTH, this.#textTo * TS_LENGTH).toString('latin1');
    this.#jsonFrom = this.#jsonAt;
    const jsonTo = places[(this.#textTo - 1) * PLACES + 5] ?? 0;
    this.#json = this.#isAscii ? textOf(extraJson, this.#jsonAt, jsonTo).toString('latin1') : '';
  }

  #wordAt(place: number): string | null {
    const word = this.#space.places[place] ?? NONE;
    return word === NONE ? null : (this.#columns.words[word] ?? null);
  }

  #extraNamesOf(line: number): readonly string[] {
    const index = this.#space.places[line * PLACES + 4] ?? NONE;
    return index === NONE ? NO_NAMES : (this.#columns.extraNames[index] ?? NO_NAMES);
  }

  #extra(): Record<string, number> | null {
    const names = this.#extraNamesOf(this.#index);
    if (names.length === 0) return null;
    const extra: Record<string, number> = {};
    for (let nth = 0; nth < names.length; nth += 1) {
      extra[names[nth] ?? ''] = this.#space.extraValues[this.#extraAt + nth] ?? 0;
    }
    return extra;
  }
}

function textOf({ buffer }: Uint8Array, from: number, to: number): Buffer {
  return Buffer.from(buffer, from, to - from);
}

function newPoint(): Point {
  return {
    seq: 0,
    elapsedSeconds: 0,
    epoch: null,
    step: null,
    loss: null,
    f1: null,
    fitness: null,
    behavioral_comparison: null,
    gpuMemoryMb: null,
    extra: null,
  };
}

function orNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** Negative zero becomes zero, as in every row. */
function rowValue(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value + 0;
}
