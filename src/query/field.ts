// What a person names in a filter, a sort or a selection -> where it is kept.
import { RunfoldError } from '../errors.ts';
import type { NamedMetric } from '../events/event.ts';
import { shown } from './arguments.ts';
import { EXTRA_PREFIX, nameOfExtra } from './metric-point.ts';
import { nearest } from '../nearest.ts';
import { parsePath } from './path.ts';

export type ColumnType = 'text' | 'number' | 'boolean' | 'strings' | 'object';

/** A column of `experiment_runs` or `run_results`, or a place in the JSON of one. */
export type Field =
  | { kind: 'column'; table: 'runs' | 'results'; column: string; type: ColumnType }
  | { kind: 'duration' }
  | {
      kind: 'json';
      table: 'runs' | 'results';
      column: 'config' | 'results' | 'extra';
      path: readonly string[];
    };

/** The columns of `experiment_runs` that a field may name. */
export const RUN_COLUMNS: Readonly<Record<string, ColumnType>> = {
  run_id: 'text',
  experiment_number: 'number',
  dataset: 'text',
  method: 'text',
  subject: 'text',
  cl_info: 'text',
  seed: 'number',
  status: 'text',
  status_reason: 'text',
  exit_code: 'number',
  config: 'object',
  tags: 'strings',
  notes: 'text',
  hidden: 'boolean',
  slurm_job_id: 'text',
  slurm_array_task_id: 'text',
  host: 'text',
  user_name: 'text',
  git_commit: 'text',
  git_dirty: 'boolean',
  command: 'text',
  cwd: 'text',
  attempt_count: 'number',
  created_at: 'text',
  started_at: 'text',
  finished_at: 'text',
};

/** Which of the greatest and the least value the table keeps as the best. */
export const BEST_IS: Readonly<Record<NamedMetric, 'min' | 'max'>> = {
  loss: 'min',
  f1: 'max',
  fitness: 'max',
  behavioral_comparison: 'max',
};

const RESULT_COLUMNS: Readonly<Record<string, ColumnType>> = {
  ...Object.fromEntries(
    Object.keys(BEST_IS).flatMap((metric) => [
      [`best_${metric}`, 'number' as const],
      [`best_${metric}_epoch`, 'number' as const],
      [`final_${metric}`, 'number' as const],
    ]),
  ),
  last_epoch: 'number',
  total_elapsed_seconds: 'number',
  peak_gpu_memory_mb: 'number',
  points: 'number',
  extra: 'object',
  results: 'object',
};

/** All columns, of a run and of its results, that a field may name. */
export const COLUMNS: readonly string[] = [...Object.keys(RUN_COLUMNS), ...Object.keys(RESULT_COLUMNS)];

/** Other names for the same, as options and other trackers have them. */
const ALIASES: Readonly<Record<string, string>> = {
  id: 'run_id',
  exp: 'experiment_number',
  variant: 'cl_info',
  reason: 'status_reason',
  attempts: 'attempt_count',
  user: 'user_name',
  created: 'created_at',
  started: 'started_at',
  finished: 'finished_at',
  duration: 'duration_seconds',
};

/** All names of fields that are the same for all logs. */
export const STATIC_FIELDS: readonly string[] = [...COLUMNS, 'duration_seconds', ...Object.keys(ALIASES)];

const HINT =
  'A field is a column (dataset, status, created_at …), config.NAME, results.NAME, ' +
  'or final.METRIC, best.METRIC, min.METRIC, max.METRIC.';

/**
 * Names may be chained by dots, and one with dots or operators in it be put between double quotes:
 * `config.optimizer.lr`, `config."a.b"`. After `final.`, `best.`, `min.` and `max.` all the rest is the name of one
 * metric.
 *
 * @throws RunfoldError `usage` if there is no such field; the hint says what there is.
 */
export function parseField(text: string): Field {
  if (typeof text !== 'string') throw unknownField(text);
  const name = Object.hasOwn(ALIASES, text) ? (ALIASES[text] ?? text) : text;
  if (name === 'duration_seconds') return { kind: 'duration' };
  if (Object.hasOwn(RUN_COLUMNS, name)) return columnField('runs', name, RUN_COLUMNS[name]);
  if (Object.hasOwn(RESULT_COLUMNS, name)) return columnField('results', name, RESULT_COLUMNS[name]);

  const dot = name.indexOf('.');
  const rest = name.slice(dot + 1);
  switch (dot === -1 ? '' : name.slice(0, dot)) {
    case 'config':
      return { kind: 'json', table: 'runs', column: 'config', path: parsePath(rest) };
    case 'results':
      return { kind: 'json', table: 'results', column: 'results', path: parsePath(rest) };
    case 'final':
      return metricField('final', rest, text);
    case 'min':
      return metricField('min', rest, text);
    case 'max':
      return metricField('max', rest, text);
    case 'best':
      return metricField('best', rest, text);
    default:
      throw unknownField(text);
  }
}

function columnField(table: 'runs' | 'results', column: string, type: ColumnType = 'text'): Field {
  return { kind: 'column', table, column, type };
}

/** A name between quotes is one name; else it is taken as it stands, dots and all. */
function unquoted(text: string): string {
  return text.startsWith('"') ? (parsePath(text)[0] ?? text) : text;
}

/** What `parseField` reads as this value of the extra metric. */
export function extraField(of: 'final' | 'min' | 'max', metric: string): string {
  const name = nameOfExtra(metric);
  return `${of}.${PLAIN_METRIC.test(name) ? name : JSON.stringify(name)}`;
}

/** Such a name needs no quotes in a condition or in a list of fields. */
const PLAIN_METRIC = /^[^"\\=!<>~,\s]+$/;

function metricField(of: 'final' | 'min' | 'max' | 'best', rest: string, text: string): Field {
  if (rest === '') throw unknownField(text);
  const name = unquoted(rest);
  if (Object.hasOwn(BEST_IS, name)) {
    const kept = BEST_IS[name as NamedMetric];
    if (of === 'final') return columnField('results', `final_${name}`, 'number');
    if (of === 'best' || of === kept) return columnField('results', `best_${name}`, 'number');
    throw new RunfoldError('usage', `${shown(text)} is not kept: of ${name} there are best and final`, {
      hint: `Say best.${name} (the ${kept === 'min' ? 'lowest' : 'highest'}) or final.${name}.`,
    });
  }
  if (of === 'best') {
    throw new RunfoldError('usage', `whether the lowest or the highest ${shown(name)} is best is not known`, {
      hint: 'Say min.NAME or max.NAME.',
    });
  }
  if (name === 'gpu_memory_mb' && of === 'max') return columnField('results', 'peak_gpu_memory_mb', 'number');
  const metric = name.startsWith(EXTRA_PREFIX) ? name.slice(EXTRA_PREFIX.length) : name;
  return { kind: 'json', table: 'results', column: 'extra', path: [metric, of] };
}

function unknownField(text: unknown): RunfoldError {
  const near = typeof text === 'string' ? nearest(text, STATIC_FIELDS) : undefined;
  const hint = near === undefined ? HINT : `Did you mean ${near}?`;
  return new RunfoldError('usage', `there is no field ${shown(text)}`, { hint });
}
