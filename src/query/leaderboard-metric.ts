// What a leaderboard is asked to rank by -> where that number is.
import sql, { type Sql } from 'sql-template-tag';
import type { NamedMetric } from '../events/event.ts';
import { wrongArgument } from './arguments.ts';
import { jsonTypeSql, valueSql } from './field-sql.ts';
import { BEST_IS, parseField, type Field } from './field.ts';
import type { CurveMetric, Goal, Place } from './metric-at.ts';
import { EXTRA_PREFIX, isMetricColumn, nameOfExtra } from './metric-point.ts';
import { formatPath, parsePath } from './path.ts';

/** A metric of the points, with a column or without, or a place in the results (`name` is its path). */
export type LeaderboardMetric = CurveMetric | { kind: 'result'; name: string };

export const RESULTS_PREFIX = 'results.';

/** How to come by a run's number. */
export interface Source {
  /** The number, or NULL. With `place`, whether there is one at all. */
  value: Sql;
  /** It is not among the run's results, but has to be looked for in its points. */
  points?: { metric: CurveMetric; place: Place };
}

/**
 * What a name may mean: one thing, save for a bare name, which may be an extra metric or a result.
 *
 * @throws RunfoldError `usage`.
 */
export function meaningsOf(name: string): LeaderboardMetric[] {
  if (typeof name !== 'string' || name === '' || !name.isWellFormed()) {
    throw wrongArgument('metric', 'the name of a metric or a result', name);
  }
  if (name.startsWith(RESULTS_PREFIX)) return [resultAt(parsePath(name.slice(RESULTS_PREFIX.length)))];
  const curve = curveMetric(name);
  if (curve.kind === 'column' || name.startsWith(EXTRA_PREFIX)) return [curve];
  return isPath(name) ? [curve, resultAt(parsePath(name))] : [curve];
}

/** A column, or else an extra metric, with or without `extra.` before it. */
export function curveMetric(name: string): CurveMetric {
  if (isMetricColumn(name)) return { kind: 'column', name };
  return { kind: 'extra', name: name.startsWith(EXTRA_PREFIX) ? name.slice(EXTRA_PREFIX.length) : name };
}

function resultAt(path: readonly string[]): LeaderboardMetric {
  return { kind: 'result', name: formatPath(path) };
}

function isPath(text: string): boolean {
  return /^[^".]+(?:\.[^".]+)*$/.test(text);
}

/** What `meaningsOf` reads as this metric and nothing else. */
export function fullName({ kind, name }: LeaderboardMetric): string {
  if (kind === 'result') return RESULTS_PREFIX + name;
  return kind === 'extra' ? EXTRA_PREFIX + name : name;
}

/** How people read it: with `extra.` or `results.` before it where it would be taken for another. */
export function shortName({ kind, name }: LeaderboardMetric): string {
  if (kind === 'extra') return nameOfExtra(name);
  return kind === 'result' && nameOfExtra(name) !== name ? RESULTS_PREFIX + name : name;
}

/** Which way is better, if the metric says so itself. */
export function ownGoal({ kind, name }: LeaderboardMetric): Goal | undefined {
  return kind === 'column' && hasOwnGoal(name) ? BEST_IS[name] : undefined;
}

function hasOwnGoal(name: string): name is NamedMetric {
  return Object.hasOwn(BEST_IS, name);
}

/** Where the number is that a metric has at a place; a result has but one. */
export function sourceOf(metric: LeaderboardMetric, place: Place): Source {
  if (metric.kind === 'result') return { value: resultSql(metric.name) };
  const kept = keptSql(metric, place);
  return kept === undefined ? { value: presenceSql(metric), points: { metric, place } } : { value: kept };
}

/** NULL where the view of the run has no finite value of the metric. */
export function presenceSql(metric: CurveMetric): Sql {
  return metric.name === 'gpu_memory_mb' && metric.kind === 'column'
    ? fieldSql('peak_gpu_memory_mb')
    : (keptSql(metric, 'final') ?? sql`NULL`);
}

/** What `run_results` keeps of it; undefined: not that. */
function keptSql(metric: CurveMetric, place: Place): Sql | undefined {
  if (typeof place === 'object' && !('best' in place)) return undefined;
  if (metric.kind === 'extra') {
    return extraSql(metric.name, place === 'final' ? 'final' : place.best);
  }
  if (hasOwnGoal(metric.name)) {
    if (place === 'final') return fieldSql(`final_${metric.name}`);
    return place.best === BEST_IS[metric.name] ? fieldSql(`best_${metric.name}`) : undefined;
  }
  return place !== 'final' && place.best === 'max' ? fieldSql('peak_gpu_memory_mb') : undefined;
}

function fieldSql(name: string): Sql {
  return valueSql(parseField(name));
}

function extraSql(name: string, of: 'final' | Goal): Sql {
  return valueSql({ kind: 'json', table: 'results', column: 'extra', path: [name, of] });
}

/** Only numbers: SQLite would make 1 of true. */
function resultSql(path: string): Sql {
  const field: Field = { kind: 'json', table: 'results', column: 'results', path: parsePath(path) };
  return sql`CASE WHEN ${jsonTypeSql(field)} IN ('integer', 'real') THEN ${valueSql(field)} END`;
}
