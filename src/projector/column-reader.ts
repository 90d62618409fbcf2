// What metric-columns.ts has written, line by line: as events to be judged, or as rows where a glance is enough.
import type { EventOf } from '../events/event.ts';
import { columnSums, pointSums, type PointSums } from './column-sums.ts';
import { SEQ, TS_LENGTH } from './line-shape.ts';
import {
  NONE,
  NUMBERS,
  PLACES,
  type ColumnSpace,
  type MetricColumns,
  type SpacedColumns,
} from './metric-columns.ts';
import type { MetricBlock } from './metric-inserts.ts';
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
  /** Of the next `count`; undefined if they have to be added one by one. */
  sums(count: number): PointSums | undefined;
  /** The next `count`, one by one: what is given is of use until the next one. */
  points(count: number): Iterable<Point>;
  /** Takes the next `count`, so that those after them are the next. All of them are to be taken. */
  take(count: number): MetricBlock;
}

const NO_NAMES: readonly string[] = [];

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
    if (!this.#isAt(at)) return undefined;
    return this.#space.places[this.#index * PLACES + 1] === end ? this.#take() : undefined;
  }

  /** The line at `at` and those after it, if it has this `seq`. */
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
      lastTs: this.#tsOf(end - 1),
      startOf: (nth) => places[(first + nth) * PLACES] ?? 0,
      sums: (count) => this.#sums(count),
      points: (count) => this.#points(count),
      take: (count) => this.#takeBlock(count),
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
      ts: this.#tsOf(this.#index),
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
      extra: this.#extra(this.#index, this.#extraAt),
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

  *#points(count: number): Generator<Point> {
    const { numbers } = this.#space;
    // one for all: of a million the collector would have to clear it away
    const point = newPoint();
    let extraAt = this.#extraAt;
    for (let line = this.#index; line < this.#index + count; line += 1) {
      const number = line * NUMBERS;
      point.elapsedSeconds = (numbers[number] ?? 0) + 0;
      point.seq = numbers[number + 1] ?? 0;
      point.epoch = rowValue(numbers[number + 2]);
      point.step = rowValue(numbers[number + 3]);
      point.loss = rowValue(numbers[number + 4]);
      point.f1 = rowValue(numbers[number + 5]);
      point.fitness = rowValue(numbers[number + 6]);
      point.behavioral_comparison = rowValue(numbers[number + 7]);
      point.gpuMemoryMb = rowValue(numbers[number + 8]);
      point.extra = this.#extra(line, extraAt);
      extraAt += this.#extraNamesOf(line).length;
      yield point;
    }
  }

  #takeBlock(count: number): MetricBlock {
    const { numbers, places, ts, extraJson } = this.#space;
    const first = this.#index;
    const jsonFrom = this.#jsonAt;
    const runId = this.#wordAt(first * PLACES + 2) ?? '';
    for (let nth = 0; nth < count; nth += 1) this.#goOn();
    return {
      runId,
      count,
      firstSeq: numbers[first * NUMBERS + SEQ] ?? 0,
      numbers: numbers.subarray(first * NUMBERS, (first + count) * NUMBERS),
      ts: textOf(ts, first * TS_LENGTH, (first + count) * TS_LENGTH),
      extraJson: textOf(extraJson, jsonFrom, this.#jsonAt),
      extraEnd: (nth) => (places[(first + nth) * PLACES + 5] ?? 0) - jsonFrom,
    };
  }

  #goOn(): void {
    this.#extraAt += this.#extraNamesOf(this.#index).length;
    this.#jsonAt = this.#space.places[this.#index * PLACES + 5] ?? 0;
    this.#index += 1;
  }

  #tsOf(line: number): string {
    return textOf(this.#space.ts, line * TS_LENGTH, (line + 1) * TS_LENGTH).toString('latin1');
  }

  #jsonOfLine(): string | null {
    const { places, extraJson } = this.#space;
    const end = places[this.#index * PLACES + 5] ?? 0;
    return end === this.#jsonAt ? null : textOf(extraJson, this.#jsonAt, end).toString('utf8');
  }

  #wordAt(place: number): string | null {
    const word = this.#space.places[place] ?? NONE;
    return word === NONE ? null : (this.#columns.words[word] ?? null);
  }

  #extraNamesOf(line: number): readonly string[] {
    const index = this.#space.places[line * PLACES + 4] ?? NONE;
    return index === NONE ? NO_NAMES : (this.#columns.extraNames[index] ?? NO_NAMES);
  }

  #extra(line: number, extraAt: number): Record<string, number> | null {
    const names = this.#extraNamesOf(line);
    if (names.length === 0) return null;
    const extra: Record<string, number> = {};
    for (let nth = 0; nth < names.length; nth += 1) {
      extra[names[nth] ?? ''] = this.#space.extraValues[extraAt + nth] ?? 0;
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
