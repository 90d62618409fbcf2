// What metric-columns.ts has written, line by line: as events to be judged, or as rows where a glance is enough.
import type { EventOf } from '../events/event.ts';
import { isAscii } from 'node:buffer';
import { TS_LENGTH } from './line-shape.ts';
import { ROW_LENGTH, type MetricRow } from './event-row.ts';
import { NONE, NUMBERS, PLACES, type ColumnSpace, type MetricColumns, type SpacedColumns } from './metric-columns.ts';
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
  /**
   * The next of them as the row of a writer. To be called once for each, and what is returned is of use until the next
   * call: of a million lines the collector would have to clear it away.
   */
  next(writer: string): MetricRow;
}

/** Asked for the lines of the chunk from its start to its end. */
export class ColumnReader {
  readonly #columns: MetricColumns;
  readonly #space: ColumnSpace;
  readonly #ts: string;
  readonly #json: (from: number, to: number) => string;
  /** By their names, the values of the last line that had them. */
  readonly #extras: (Record<string, number> | undefined)[] = [];
  readonly #next: MetricRow = { row: Array.from({ length: ROW_LENGTH }, () => null), point: newPoint() };
  #index = 0;
  #extraAt = 0;
  #jsonAt = 0;

  constructor({ columns, space }: SpacedColumns) {
    this.#columns = columns;
    this.#space = space;
    this.#ts = textOf(space.ts, columns.lines * TS_LENGTH).toString('latin1');
    const bytes = textOf(space.extraJson, columns.extraJsonLength);
    // one string for all of them, and the places of characters are those of bytes
    const json = isAscii(bytes) ? bytes.toString('latin1') : undefined;
    this.#json = (from, to) => json?.slice(from, to) ?? bytes.toString('utf8', from, to);
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
      lastTs: this.#ts.slice((end - 1) * TS_LENGTH, end * TS_LENGTH),
      startOf: (nth) => places[(first + nth) * PLACES] ?? 0,
      next: (writer) => this.#takeRow(writer),
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
    const extra = this.#takeExtra();
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
      extra: extra && { ...extra },
    };
    const extraJson = this.#takeJson(extra !== null);
    this.#index += 1;
    return { kind: 'event', event, extraJson };
  }

  #takeRow(writer: string): MetricRow {
    const { numbers } = this.#space;
    const number = this.#index * NUMBERS;
    const { row, point } = this.#next;
    point.elapsedSeconds = (numbers[number] ?? 0) + 0;
    point.seq = numbers[number + 1] ?? 0;
    point.epoch = positiveZero(numbers[number + 2]);
    point.step = positiveZero(numbers[number + 3]);
    point.loss = positiveZero(numbers[number + 4]);
    point.f1 = positiveZero(numbers[number + 5]);
    point.fitness = positiveZero(numbers[number + 6]);
    point.behavioral_comparison = positiveZero(numbers[number + 7]);
    point.gpuMemoryMb = positiveZero(numbers[number + 8]);
    point.extra = this.#takeExtra();
    row[0] = this.#wordAt(this.#index * PLACES + 2);
    row[1] = writer;
    row[2] = point.seq;
    row[3] = this.#tsOfLine();
    row[4] = point.elapsedSeconds;
    row[5] = point.epoch;
    row[6] = point.step;
    row[7] = point.loss;
    row[8] = point.f1;
    row[9] = point.fitness;
    row[10] = point.behavioral_comparison;
    row[11] = point.gpuMemoryMb;
    row[12] = this.#takeJson(point.extra !== null);
    this.#index += 1;
    return this.#next;
  }

  #tsOfLine(): string {
    return this.#ts.slice(this.#index * TS_LENGTH, (this.#index + 1) * TS_LENGTH);
  }

  #wordAt(place: number): string | null {
    const word = this.#space.places[place] ?? NONE;
    return word === NONE ? null : (this.#columns.words[word] ?? null);
  }

  #takeJson(hasExtra: boolean): string | null {
    if (!hasExtra) return null;
    const from = this.#jsonAt;
    this.#jsonAt = this.#space.places[this.#index * PLACES + 5] ?? 0;
    return this.#json(from, this.#jsonAt);
  }

  #takeExtra(): Record<string, number> | null {
    const index = this.#space.places[this.#index * PLACES + 4] ?? NONE;
    if (index === NONE) return null;
    const names = this.#columns.extraNames[index] ?? [];
    const extra = (this.#extras[index] ??= {});
    for (let nth = 0; nth < names.length; nth += 1) {
      extra[names[nth] ?? ''] = this.#space.extraValues[this.#extraAt + nth] ?? 0;
    }
    this.#extraAt += names.length;
    return extra;
  }
}

function textOf({ buffer }: Uint8Array, length: number): Buffer {
  return Buffer.from(buffer, 0, length);
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

function positiveZero(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value + 0;
}
