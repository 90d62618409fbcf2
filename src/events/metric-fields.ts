// What a training loop hands to log() -> the fields of a metric event.
import type { Measure } from './event.ts';

/** What was measured. A number, or undefined or null for what was not, by name. */
export interface Metrics {
  loss?: number | null | undefined;
  f1?: number | null | undefined;
  fitness?: number | null | undefined;
  behavioral_comparison?: number | null | undefined;
  /** In MB. */
  gpu_memory_mb?: number | null | undefined;
  extra?: Readonly<Record<string, number>> | undefined;
  /** Any other name goes to `extra`; `epoch`, `step` and `elapsed_seconds` are taken as the position. */
  [other: string]: number | null | undefined | Readonly<Record<string, number>>;
}

/** Where in the training. */
export interface Position {
  /** A whole number. */
  epoch?: number | null | undefined;
  /** A whole number. */
  step?: number | null | undefined;
  /** Default: since the logger was created. */
  elapsed_seconds?: number | null | undefined;
}

export interface MetricFields {
  /** Undefined if there is nothing to write. */
  fields: Record<string, unknown> | undefined;
  /** Names of what is no number. */
  leftOut: string[];
}

const COLUMNS: ReadonlySet<string> = new Set([
  'loss',
  'f1',
  'fitness',
  'behavioral_comparison',
  'gpu_memory_mb',
]);
const POSITIONS: ReadonlySet<string> = new Set(['epoch', 'step']);

/** May throw what a getter of the caller's throws. `elapsed` is the default of `elapsed_seconds`. */
export function metricFields(
  metrics: Metrics,
  position: Position | undefined,
  elapsed: number,
): MetricFields {
  const collected = new Collected(elapsed);
  collected.takeAll(metrics);
  if (typeof position === 'object' && position !== null) collected.takePosition(position);
  return { fields: collected.fields(), leftOut: collected.leftOut };
}

class Collected {
  readonly leftOut: string[] = [];
  readonly #place: Partial<Record<string, number>> = {};
  readonly #columns: Partial<Record<string, Measure>> = {};
  readonly #extra: Record<string, Measure> = {};
  #elapsed: number;
  #count = 0;
  #hasExtra = false;

  constructor(elapsed: number) {
    this.#elapsed = elapsed;
  }

  takeAll(metrics: Metrics): void {
    if (typeof metrics !== 'object' || metrics === null) {
      this.leftOut.push('the argument');
      return;
    }
    for (const name of Object.keys(metrics)) {
      const value: unknown = metrics[name];
      if (COLUMNS.has(name)) this.#takeColumn(name, value);
      else if (POSITIONS.has(name)) this.#takePlace(name, value);
      else if (name === 'elapsed_seconds') this.#takeElapsed(value);
      else if (name === 'extra') this.#takeExtras(value);
      else this.#takeExtra(name, value);
    }
  }

  takePosition(position: Position): void {
    this.#takePlace('epoch', position.epoch);
    this.#takePlace('step', position.step);
    this.#takeElapsed(position.elapsed_seconds);
  }

  fields(): Record<string, unknown> | undefined {
    if (this.#count === 0) return undefined;
    const { epoch, step } = this.#place;
    const { loss, f1, fitness, behavioral_comparison, gpu_memory_mb } = this.#columns;
    // always of one shape, which is what makes it quick to copy and to write
    return {
      elapsed_seconds: this.#elapsed,
      epoch,
      step,
      loss,
      f1,
      fitness,
      behavioral_comparison,
      gpu_memory_mb,
      extra: this.#hasExtra ? this.#extra : undefined,
    };
  }

  #takeColumn(name: string, value: unknown): void {
    const measure = this.#measureOf(name, value);
    if (measure === undefined) return;
    this.#columns[name] = measure;
    this.#count += 1;
  }

  #takeExtras(value: unknown): void {
    if (typeof value !== 'object' || value === null) return void this.#measureOf('extra', value ?? undefined);
    for (const [name, inner] of Object.entries(value)) this.#takeExtra(name, inner);
  }

  #takeExtra(name: string, value: unknown): void {
    const measure = this.#measureOf(name, value);
    if (measure === undefined) return;
    if (name === '__proto__') defineOwn(this.#extra, name, measure);
    else this.#extra[name] = measure;
    this.#hasExtra = true;
    this.#count += 1;
  }

  /** A position that is not a whole number is kept as a metric: as a position its line would be rejected. */
  #takePlace(name: string, value: unknown): void {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number)) this.#place[name] = number;
    else this.#takeExtra(name, number);
  }

  #takeElapsed(value: unknown): void {
    if (value === undefined || value === null) return;
    const seconds = typeof value === 'bigint' ? Number(value) : value;
    if (typeof seconds === 'number' && Number.isFinite(seconds)) this.#elapsed = seconds;
    else this.leftOut.push('elapsed_seconds');
  }

  #measureOf(name: string, value: unknown): Measure | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number') return Number.isFinite(value) ? value : nameOf(value);
    if (typeof value === 'bigint') return this.#measureOf(name, Number(value));
    this.leftOut.push(name);
    return undefined;
  }
}

/** A metric named __proto__ is data like any other; assigned, it would be the prototype. */
function defineOwn(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}

function nameOf(value: number): Measure {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}
