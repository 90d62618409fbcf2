// Which names there are in config, results and metrics: for whoever has asked for one that there is not.
import type { Db } from '../db/open.ts';
import { BEST_IS, STATIC_FIELDS } from './field.ts';
import { parseObject } from './json.ts';
import { RESULT_OF } from './metric-inventory.ts';
import { METRIC_COLUMNS, nameOfExtra } from './metric-point.ts';
import { formatPath, leavesOf } from './path.ts';

/** Only so many runs are looked at, the newest ones: what is looked for is a hint. */
const RUNS = 1000;

const NEWEST = {
  config: 'SELECT config FROM experiment_runs ORDER BY created_at DESC LIMIT ?',
  results: `SELECT s.results FROM experiment_runs r JOIN run_results s USING (run_id)
    WHERE s.results IS NOT NULL ORDER BY r.created_at DESC LIMIT ?`,
  metrics: `SELECT s.* FROM experiment_runs r JOIN run_results s USING (run_id) ORDER BY r.created_at DESC LIMIT ?`,
} as const;

/** The names in config or results, as paths; the most frequent first. */
export function pathsIn(db: Db, column: 'config' | 'results'): string[] {
  const counts = new Map<string, number>();
  for (const text of db.prepare<[number], string>(NEWEST[column]).pluck().iterate(RUNS)) {
    for (const [path] of leavesOf(parseObject(text))) {
      const name = formatPath(path);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
}

/** The metrics of which a run has a finite value: columns first, then by name, as callers name them. */
export function metricNames(db: Db): string[] {
  const columns = METRIC_COLUMNS.map((column) => `max(${RESULT_OF[column]} IS NOT NULL)`);
  const row = db
    .prepare<[number], (0 | 1 | null)[]>(`SELECT ${columns.join(', ')} FROM (${NEWEST.metrics})`)
    .raw()
    .get(RUNS);
  const extra = db
    .prepare<[number], string>(`SELECT DISTINCT key FROM (${NEWEST.metrics}), json_each(extra) ORDER BY key`)
    .pluck()
    .all(RUNS);
  return [...METRIC_COLUMNS.filter((_, index) => row?.[index] === 1), ...extra.map(nameOfExtra)];
}

/** All fields that may be named: columns and their other names, and those in config, results and metrics. */
export function fieldNames(db: Db): string[] {
  return [
    ...STATIC_FIELDS,
    ...pathsIn(db, 'config').map((name) => `config.${name}`),
    ...pathsIn(db, 'results').map((name) => `results.${name}`),
    ...metricNames(db).flatMap((name) => placesOf(name).map((place) => `${place}.${name}`)),
  ];
}

/** Which values of a metric are kept. */
function placesOf(metric: string): string[] {
  if (Object.hasOwn(BEST_IS, metric)) return ['final', 'best'];
  return metric === 'gpu_memory_mb' ? ['max'] : ['final', 'min', 'max'];
}
