// Which metrics there are.
import sql, { raw } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import { shown } from './arguments.ts';
import { divergenceReader } from './diverged.ts';
import { FROM_RUNS } from './field-sql.ts';
import {
  EXTRA_PREFIX,
  isMetricColumn,
  METRIC_COLUMNS,
  nameOfExtra,
  type MetricColumn,
} from './metric-point.ts';
import { nearest } from '../nearest.ts';
import { IS_CUT } from './point-rows.ts';
import { filterSql, type RunFilter } from './run-filter.ts';
import { stretchesOf, type Stretch } from './stretches.ts';

/** Where the results of a run tell whether it has the metric. */
export const RESULT_OF: Readonly<Record<MetricColumn, string>> = {
  loss: 'final_loss',
  f1: 'final_f1',
  fitness: 'final_fitness',
  behavioral_comparison: 'final_behavioral_comparison',
  gpu_memory_mb: 'peak_gpu_memory_mb',
};

const LISTED = 30;
/** Runs that are looked at for metrics that were never finite, which results do not know of. */
const DIVERGED_RUNS = 200;

/** The field by which `selectRuns` tells whether a run has finite values of a metric. */
export function resultField(metric: string): string {
  return isMetricColumn(metric) ? RESULT_OF[metric] : `final.${JSON.stringify(metric)}`;
}

/** The metrics of a run's view, also those that were never finite; of all its points, if `all`. Columns first. */
export function metricsOfRun(db: Db, runId: string, all = false): string[] {
  const columns = METRIC_COLUMNS.map((column) => (all ? `max(${column} IS NOT NULL)` : RESULT_OF[column]));
  const from = all ? 'run_metrics' : 'run_results';
  const [row] = db
    .prepare<[string], unknown[]>(`SELECT ${columns.join(', ')} FROM ${from} WHERE run_id = ?`)
    .raw()
    .all(runId);
  return inOrder(
    METRIC_COLUMNS.filter((_, index) => Boolean(all ? row?.[index] : typeof row?.[index] === 'number')),
    keys(db, `SELECT DISTINCT key FROM ${from}, json_each(extra) WHERE run_id = ?`, [runId]),
    nonFiniteIn(db, runId, all),
  );
}

function nonFiniteIn(db: Db, runId: string, all: boolean): string[] {
  const names = db
    .prepare<[Stretch & { runId: string; all: 0 | 1 }], string>(
      `SELECT DISTINCT key FROM run_metrics, json_each(nonfinite)
       WHERE run_id = @runId AND writer = @writer AND seq BETWEEN @first AND @last
         AND nonfinite IS NOT NULL AND (@all OR NOT ${IS_CUT})`,
    )
    .pluck();
  return stretchesOf(db, runId)
    .filter(({ inView }) => all || inView)
    .flatMap((stretch) => names.all({ ...stretch, runId, all: all ? 1 : 0 }));
}

/** The metrics that at least one of the runs has. */
export function metricsOfRuns(db: Db, filter: RunFilter): string[] {
  const where = filterSql(filter);
  const columns = METRIC_COLUMNS.map((column) => `max(s.${RESULT_OF[column]} IS NOT NULL)`);
  const named = sql`SELECT ${raw(columns.join(', '))} FROM ${FROM_RUNS} WHERE ${where}`;
  const [row] = db
    .prepare<unknown[], unknown[]>(named.sql)
    .raw()
    .all(...named.values);
  const extra = sql`SELECT DISTINCT key FROM ${FROM_RUNS}, json_each(s.extra) WHERE s.extra IS NOT NULL AND ${where}`;
  return inOrder(
    METRIC_COLUMNS.filter((_, index) => row?.[index] === 1),
    keys(db, extra.sql, extra.values),
    metricsThatDiverged(db, filter),
  );
}

/** Those that diverged in the newest of the runs, among them the ones that were never finite; `extra.` before some. */
export function metricsThatDiverged(db: Db, filter: RunFilter): string[] {
  const { sql: text, values } = sql`SELECT r.run_id FROM ${FROM_RUNS} WHERE ${filterSql(filter)}
    ORDER BY r.created_at DESC LIMIT ${DIVERGED_RUNS}`;
  const divergedOf = divergenceReader(db);
  return [...new Set(keys(db, text, values).flatMap((runId) => [...divergedOf(runId).keys()]))];
}

function keys(db: Db, text: string, values: readonly unknown[]): string[] {
  return db
    .prepare<unknown[], string>(text)
    .pluck()
    .all(...values);
}

/** @param diverged with `extra.` before those that are no columns */
function inOrder(
  columns: readonly MetricColumn[],
  extra: readonly string[],
  diverged: readonly string[],
): string[] {
  const named = new Set<string>([...columns, ...diverged]);
  const others = new Set([
    ...extra.map(nameOfExtra),
    ...diverged
      .filter((name) => !isMetricColumn(name))
      .map((name) => nameOfExtra(name.slice(EXTRA_PREFIX.length))),
  ]);
  return [...METRIC_COLUMNS.filter((column) => named.has(column)), ...[...others].toSorted()];
}

/** As `metricsOfRun` lists what a caller names. */
export function listedName(metric: string): string {
  if (isMetricColumn(metric) || !metric.startsWith(EXTRA_PREFIX)) return metric;
  return nameOfExtra(metric.slice(EXTRA_PREFIX.length));
}

/** The error for a metric that is not there; `who` has none of that name. */
export function unknownMetric(who: string, metric: string, known: readonly string[]): RunfoldError {
  const named = known.slice(0, LISTED).map((name) => (/^[\w./-]+$/.test(name) ? name : shown(name)));
  const near = nearest(metric, known);
  const list = `${named.join(', ')}${known.length > LISTED ? ', …' : ''}`;
  return new RunfoldError(
    'usage',
    known.length === 0
      ? `${who} has a metric ${shown(metric)}: none has any metric`
      : `${who} has a metric ${shown(metric)}; there ${known.length === 1 ? 'is' : 'are'}: ${list}`,
    near === undefined ? {} : { hint: `Did you mean ${near}?` },
  );
}
