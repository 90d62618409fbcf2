// Which runs of a leaderboard have diverged: by their last finite value they would pass for good ones.
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import { divergenceReader, LAST_POINTS, type Diverged } from './diverged.ts';
import { FROM_RUNS } from './field-sql.ts';
import { fullName, type LeaderboardMetric } from './leaderboard-metric.ts';
import type { Question } from './leaderboard-options.ts';
import type { CurveMetric } from './metric-at.ts';
import { METRIC_COLUMNS } from './metric-point.ts';
import { filterSql, type RunFilter } from './run-filter.ts';

export interface BoardDivergence {
  /** Runs of which the ranked metric has diverged; none if a result is ranked. */
  metric: ReadonlySet<string>;
  /** Whether the metric that the place is chosen by has. */
  chooser: (runId: string) => boolean;
}

/** The caller holds a transaction. */
export function divergenceIn(db: Db, { meanings, place, filter }: Question): BoardDivergence {
  const metric = meanings.find(isCurve);
  const divergedOf = divergenceReader(db);
  const chooser = typeof place === 'object' && 'bestOf' in place ? fullName(place.bestOf) : undefined;
  return {
    metric: new Set(metric === undefined ? [] : divergedRuns(db, metric, filter, divergedOf)),
    chooser: (runId) => chooser !== undefined && divergedOf(runId).has(chooser),
  };
}

function isCurve(meaning: LeaderboardMetric): meaning is CurveMetric {
  return meaning.kind !== 'result';
}

/** Runs with a value that is not finite, each found by one step into the index of such points. */
const SUSPECTS = raw(`suspects (run_id) AS (
  SELECT min(run_id) FROM run_metrics WHERE nonfinite IS NOT NULL
  UNION ALL
  SELECT (SELECT min(m.run_id) FROM run_metrics m WHERE m.nonfinite IS NOT NULL AND m.run_id > x.run_id)
  FROM suspects x WHERE x.run_id IS NOT NULL)`);

function divergedRuns(
  db: Db,
  metric: CurveMetric,
  filter: RunFilter,
  divergedOf: (runId: string) => Diverged,
): string[] {
  const { sql: text, values } = sql`WITH RECURSIVE ${SUSPECTS} SELECT x.run_id, ${hasDivergedSql(metric)}
    FROM suspects x WHERE x.run_id IS NOT NULL
      AND EXISTS (SELECT 1 FROM ${FROM_RUNS} WHERE r.run_id = x.run_id AND ${filterSql(filter)})`;
  return db
    .prepare<unknown[], [runId: string, hasDiverged: 0 | 1 | null]>(text)
    .raw()
    .all(...values)
    .filter(([runId, has]) => (has === null ? divergedOf(runId).has(fullName(metric)) : has === 1))
    .map(([runId]) => runId);
}

/** As `divergedMetrics` has it; NULL for runs with points of several processes or attempts, where it is not so simple. */
function hasDivergedSql(metric: CurveMetric): Sql {
  const finalSeq = finalSeqSql(metric);
  if (finalSeq === undefined) return raw('NULL');
  const name = fullName(metric);
  // looking for the text first is what makes it quick
  const last = sql`SELECT nonfinite FROM run_metrics m
    WHERE m.run_id = z.run_id AND m.writer = z.writer AND m.nonfinite IS NOT NULL AND m.seq > ifnull(${finalSeq}, -1)
    ORDER BY m.seq DESC LIMIT ${raw(String(LAST_POINTS))}`;
  return sql`CASE (SELECT count(*) FROM _series z WHERE z.run_id = x.run_id) WHEN 1 THEN EXISTS (
    SELECT 1 FROM _series z LEFT JOIN _attempts a ON a.run_id = z.run_id AND a.attempt = z.attempt
    WHERE z.run_id = x.run_id AND a.in_view IS NOT 0 AND EXISTS (
      SELECT 1 FROM (${last}) WHERE instr(nonfinite, ${`${JSON.stringify(name)}:`})
        AND EXISTS (SELECT 1 FROM json_each(nonfinite) WHERE key = ${name}))) END`;
}

/** Of the last finite value, as the summary of a series has it; undefined: it has not. */
function finalSeqSql({ kind, name }: CurveMetric): Sql | undefined {
  if (kind === 'extra') {
    return sql`(SELECT json_extract(e.value, '$[1].finalSeq') FROM json_each(z.summary, '$.extra') e
      WHERE json_extract(e.value, '$[0]') = ${name})`;
  }
  const index = METRIC_COLUMNS.indexOf(name);
  return name === 'gpu_memory_mb' ? undefined : raw(`json_extract(z.summary, '$.final[${index}].seq')`);
}
