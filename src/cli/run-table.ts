// Runs -> a table.
import type { RunStatus } from '../events/event.ts';
import { RESULTS_PREFIX } from '../query/leaderboard-metric.ts';
import { EXTRA_PREFIX, nameOfExtra } from '../query/metric-point.ts';
import { formatPath } from '../query/path.ts';
import type { ExtraResult } from '../query/results.ts';
import { cell, labelOf, type Cell, type Column, type Emphasis, type Table } from './format/table.ts';
import { duration } from './human.ts';
import { ago, valueText } from './value-text.ts';

/** As much of a run id as tells runs apart as a rule; whoever types one that does not is told. */
export const SHORT_ID = 8;

/** More would not fit a terminal beside the key. */
const SHOWN_METRICS = 5;
/** Of these the first, which are worth more than when a run was started. */
const KEPT_METRICS = 2;

const EMPHASES: Readonly<Record<RunStatus, Emphasis | undefined>> = {
  pending: 'dim',
  running: undefined,
  completed: 'good',
  failed: 'bad',
  timeout: 'warn',
};

interface ShownColumn extends Column {
  cells: readonly Cell[];
}

/** What `usualTable` needs of each run, in this order. */
export const USUAL_FIELDS = [
  'run_id',
  'status',
  'status_reason',
  'experiment_number',
  'dataset',
  'method',
  'subject',
  'cl_info',
  'seed',
  'attempt_count',
  'last_epoch',
  'final.loss',
  'final.f1',
  'final.fitness',
  'final.behavioral_comparison',
  'started_at',
  'duration_seconds',
  'tags',
  'extra',
  'results',
] as const;
export type UsualField = (typeof USUAL_FIELDS)[number];

const LABELS: Readonly<Partial<Record<UsualField, string>>> = {
  run_id: 'run',
  status_reason: 'reason',
  experiment_number: 'exp',
  cl_info: 'variant',
  attempt_count: 'tries',
  last_epoch: 'epoch',
  'final.loss': 'loss',
  'final.f1': 'f1',
  'final.fitness': 'fitness',
  'final.behavioral_comparison': 'behavioral',
  started_at: 'started',
  duration_seconds: 'took',
};
/** The headings of columns, there or not; a metric or result of that name has another. */
const FIXED_LABELS: ReadonlySet<string> = new Set(USUAL_FIELDS.map((name) => LABELS[name] ?? name));
const ALWAYS: ReadonlySet<string> = new Set(['run_id', 'status', 'dataset', 'method']);
const NEVER_CUT: ReadonlySet<string> = new Set([
  'run_id',
  'status',
  'seed',
  'started_at',
  'duration_seconds',
]);
/** In a narrow terminal first goes what is of the least use without the rest, the key last. */
const LEAVE_OUT = { metric: 5, afterMetrics: 4, progress: 3, keptMetric: 2, key: 1 } as const;
const PROGRESS: ReadonlySet<string> = new Set(['attempt_count', 'last_epoch']);
const METRICS: ReadonlySet<string> = new Set(USUAL_FIELDS.filter((field) => field.startsWith('final.')));
const AFTER_METRICS: ReadonlySet<string> = new Set(['started_at', 'duration_seconds', 'tags']);
const NOT_SHOWN: ReadonlySet<string> = new Set(['extra', 'results']);

/**
 * The table for people: columns in which there is nothing to see are left out, and of the metrics and results only the
 * first few are shown.
 *
 * @param rows the values of `USUAL_FIELDS`, run by run
 */
export function usualTable(rows: readonly (readonly unknown[])[], nowMs: number): Table {
  const columns = USUAL_FIELDS.filter((field) => !NOT_SHOWN.has(field))
    .map((field) => ({ field, values: valuesOf(rows, field) }))
    .filter(({ field, values }) => ALWAYS.has(field) || values.some((value) => isTelling(field, value)))
    .map(({ field, values }) => usualColumn(field, values, nowMs));
  const extra = extraColumns(valuesOf(rows, 'extra'));
  const taken = new Set([...FIXED_LABELS, ...extra.map(labelOf)]);
  const metrics = [
    ...columns.filter(({ name }) => METRICS.has(name)),
    ...extra,
    ...resultColumns(valuesOf(rows, 'results'), taken),
  ].map((column, index) => ({
    ...column,
    leaveOut: index < KEPT_METRICS ? LEAVE_OUT.keptMetric : LEAVE_OUT.metric,
  }));
  const shown = [
    ...columns.filter(({ name }) => !METRICS.has(name) && !AFTER_METRICS.has(name)),
    ...metrics.slice(0, SHOWN_METRICS),
    ...columns.filter(({ name }) => AFTER_METRICS.has(name)),
  ];
  const leftOut = metrics.slice(SHOWN_METRICS).map(({ name }) => name);
  return { ...tableOf(shown, rows.length), leftOut, chosenBy: '--select' };
}

/** The fields that somebody asked for, by the names they gave. */
export function selectedTable(fields: readonly string[], rows: readonly (readonly unknown[])[]): Table {
  const columns = fields.map((name, index) => ({
    name,
    shrink: 'cut' as const,
    cells: rows.map((row) => plainCell(name, row[index])),
  }));
  return tableOf(columns, rows.length);
}

function tableOf(columns: readonly ShownColumn[], height: number): Table {
  return {
    columns,
    rows: Array.from({ length: height }, (_, row) => columns.map(({ cells }) => cells[row] ?? cell(null))),
  };
}

function valuesOf(rows: readonly (readonly unknown[])[], field: UsualField): unknown[] {
  const index = USUAL_FIELDS.indexOf(field);
  return rows.map((row) => row[index] ?? null);
}

/** Everybody's first experiment, and the only attempt, tell nothing. */
function isTelling(field: UsualField, value: unknown): boolean {
  if (value === null || (Array.isArray(value) && value.length === 0)) return false;
  return value !== 1 || (field !== 'experiment_number' && field !== 'attempt_count');
}

function usualColumn(field: UsualField, values: readonly unknown[], nowMs: number): ShownColumn {
  const label = LABELS[field];
  return {
    name: field,
    ...(label !== undefined && { label }),
    ...(!NEVER_CUT.has(field) && { shrink: 'cut' as const }),
    ...(!ALWAYS.has(field) && { leaveOut: leaveOutOf(field) }),
    cells: values.map((value) => usualCell(field, value, nowMs)),
  };
}

function leaveOutOf(field: UsualField): number {
  if (AFTER_METRICS.has(field)) return LEAVE_OUT.afterMetrics;
  return PROGRESS.has(field) ? LEAVE_OUT.progress : LEAVE_OUT.key;
}

function usualCell(field: UsualField, value: unknown, nowMs: number): Cell {
  if (field === 'run_id' && typeof value === 'string') return cell(value, value.slice(0, SHORT_ID));
  if (field === 'started_at' && typeof value === 'string') return cell(value, ago(value, nowMs));
  if (field === 'duration_seconds' && typeof value === 'number') return cell(value, duration(value));
  return plainCell(field, value);
}

function plainCell(field: string, value: unknown): Cell {
  const emphasis = field === 'status' ? statusEmphasis(value) : isNotFinite(value) ? 'bad' : undefined;
  return cell(value ?? null, valueText(value), emphasis);
}

function isNotFinite(value: unknown): boolean {
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity';
}

export function statusEmphasis(status: unknown): Emphasis | undefined {
  return typeof status === 'string' && Object.hasOwn(EMPHASES, status)
    ? EMPHASES[status as RunStatus]
    : undefined;
}

function extraColumns(extras: readonly unknown[]): ShownColumn[] {
  const maps = extras.map((extra) => entriesOf<ExtraResult>(extra));
  return byFrequency(maps).map((name) => ({
    name: `final.${nameOfExtra(name)}`,
    label: FIXED_LABELS.has(name) ? EXTRA_PREFIX + name : nameOfExtra(name),
    shrink: 'cut',
    cells: maps.map((map) => plainCell(name, map.get(name)?.final)),
  }));
}

/** @param taken labels of other columns */
function resultColumns(results: readonly unknown[], taken: ReadonlySet<string>): ShownColumn[] {
  const maps = results.map((result) => entriesOf<unknown>(result));
  const numbers = maps.map((map) => new Map([...map].filter(([, value]) => typeof value === 'number')));
  return byFrequency(numbers).map((name) => ({
    name: RESULTS_PREFIX + formatPath([name]),
    label: taken.has(name) ? RESULTS_PREFIX + name : name,
    shrink: 'cut',
    cells: maps.map((map) => plainCell(name, map.get(name))),
  }));
}

function entriesOf<Value>(object: unknown): Map<string, Value> {
  return new Map(Object.entries((object ?? {}) as Readonly<Record<string, Value>>));
}

/** The names that the most have first. */
function byFrequency(maps: readonly ReadonlyMap<string, unknown>[]): string[] {
  const counts = new Map<string, number>();
  for (const map of maps) for (const name of map.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([name]) => name);
}
