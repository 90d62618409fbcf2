// Runs side by side: what is different between them, and what came of it.
import type { Db } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import { shown, wrongArgument } from './arguments.ts';
import { divergedMetrics, type Diverged } from './diverged.ts';
import { extraField } from './field.ts';
import { EXTRA_PREFIX, isMetricColumn } from './metric-point.ts';
import { formatPath, leavesOf } from './path.ts';
import { getRunResults, type RunResults } from './results.ts';
import type { RunRecord } from './run-record.ts';
import { getRun } from './run.ts';

/** One field of all runs. */
export interface ComparedField {
  /** As for a filter: `dataset`, `config.lr`, `final.acc`. */
  field: string;
  /**
   * One for each run, in their order; null is: it has none. The final value of a metric that has diverged is `NaN`,
   * `Infinity` or `-Infinity`, as text.
   */
  values: readonly unknown[];
  differs: boolean;
}

export interface Comparison {
  run_ids: readonly string[];
  /** Those that differ first; within these two halves: the key, config, results, all else. */
  fields: readonly ComparedField[];
}

const KEY = ['experiment_number', 'dataset', 'method', 'subject', 'cl_info', 'seed'] as const;
const REST = [
  'status',
  'status_reason',
  'exit_code',
  'tags',
  'notes',
  'host',
  'user_name',
  'git_commit',
  'git_dirty',
  'command',
  'cwd',
  'slurm_job_id',
  'attempt_count',
  'created_at',
  'started_at',
  'finished_at',
] as const;
const NOT_A_RESULT: ReadonlySet<string> = new Set(['run_id', 'extra', 'results']);

/**
 * Two runs or more, by id or as much of it as tells them apart.
 *
 * @throws RunfoldError `usage` if there are fewer than two, or one of them twice; `run_not_found`.
 */
export function compareRuns(db: Db, ids: readonly string[]): Comparison {
  if (!Array.isArray(ids)) throw wrongArgument('the runs', 'an array of run ids', ids);
  if (ids.length < 2) {
    throw new RunfoldError('usage', `it takes two runs or more to compare; ${ids.length} was given`, {
      hint: 'Name another one: its id, the first characters of it, or @last.',
    });
  }
  const sides = db.transaction(() =>
    ids.map((id: string) => {
      const run = getRun(db, id);
      return { run, fields: fieldsOf(run, getRunResults(db, run.run_id), divergedMetrics(db, run.run_id)) };
    }),
  )();
  refuseTwice(
    ids,
    sides.map(({ run }) => run.run_id),
  );
  const names = [...new Set(sides.flatMap(({ fields }) => [...fields.keys()]))];
  const compared = names
    .toSorted((a, b) => partOf(a) - partOf(b))
    .map((field) =>
      compareField(
        field,
        sides.map(({ fields }) => fields.get(field) ?? null),
      ),
    );
  const known = compared.filter(({ values }) => values.some((value) => value !== null));
  return {
    run_ids: sides.map(({ run }) => run.run_id),
    fields: [...known.filter(({ differs }) => differs), ...known.filter(({ differs }) => !differs)],
  };
}

function refuseTwice(ids: readonly string[], found: readonly string[]): void {
  const second = found.findIndex((id, index) => found.indexOf(id) < index);
  const id = found[second];
  if (id === undefined) return;
  const [one, other] = [ids[found.indexOf(id)], ids[second]];
  const names =
    one === other ? `${shown(one)} is named twice` : `${shown(one)} and ${shown(other)} are one run`;
  throw new RunfoldError('usage', `${names}: ${id}`, { hint: 'Name runs that are not the same.' });
}

/** The key, config, results, all else. */
function partOf(field: string): number {
  if ((KEY as readonly string[]).includes(field)) return 0;
  if (field.startsWith('config.')) return 1;
  return (REST as readonly string[]).includes(field) ? 3 : 2;
}

function compareField(field: string, values: readonly unknown[]): ComparedField {
  const [first, ...others] = values.map((value) => JSON.stringify(value));
  return { field, values, differs: others.some((value) => value !== first) };
}

/** In the order in which they are shown. */
function fieldsOf(run: RunRecord, results: RunResults | null, diverged: Diverged): Map<string, unknown> {
  const fields = new Map<string, unknown>(KEY.map((name) => [name, run[name]]));
  for (const [path, value] of leavesOf(run.config, ['config'])) fields.set(formatPath(path), value);
  if (results !== null) {
    for (const [path, value] of leavesOf(results.results ?? {}, ['results']))
      fields.set(formatPath(path), value);
    for (const [name, value] of Object.entries(results)) if (!NOT_A_RESULT.has(name)) fields.set(name, value);
    for (const [metric, { min, max, final }] of Object.entries(results.extra ?? {})) {
      fields.set(extraField('final', metric), final);
      fields.set(extraField('min', metric), min).set(extraField('max', metric), max);
    }
    for (const [metric, word] of diverged) {
      if (!isMetricColumn(metric)) fields.set(extraField('final', metric.slice(EXTRA_PREFIX.length)), word);
      else if (metric !== 'gpu_memory_mb') fields.set(`final_${metric}`, word);
    }
  }
  for (const name of REST) fields.set(name, run[name]);
  return fields;
}
