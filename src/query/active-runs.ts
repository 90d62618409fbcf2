// What is going on now, and how long ago each of it gave a sign of life.
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import { FROM_RUNS } from './field-sql.ts';
import { filterSql, type RunFilter } from './run-filter.ts';
import { runRecord, type RunRecord, type RunRow } from './run-record.ts';

/** A run that is pending or running. */
export interface ActiveRun extends RunRecord {
  /**
   * `ts` of the newest line that the run's processes wrote about it, of whatever type: how old it is says whether the
   * run is still alive. UTC, `2026-11-23T10:15:00.123Z`.
   */
  newest_line_at: string;
}

/**
 * The runs that match and have not ended, as far as their logs say, the most recent sign of life first: a job that died
 * without a word is among them, and its newest line is old.
 *
 * @throws RunfoldError as `getAllRuns` does.
 */
export function getActiveRuns(db: Db, filter: RunFilter = {}): ActiveRun[] {
  const { sql: text, values } = sql`SELECT r.*, ${NEWEST_LINE} AS newest_line_at FROM ${FROM_RUNS}
    WHERE r.run_id IN (SELECT run_id FROM experiment_runs WHERE status IN ('pending', 'running'))
      AND ${filterSql(filter)}
    ORDER BY newest_line_at DESC, r.created_at DESC, r.run_id`;
  return db
    .prepare<unknown[], RunRow & { newest_line_at: string }>(text)
    .all(...values)
    .map(({ newest_line_at, ...row }) => ({ ...runRecord(row), newest_line_at }));
}

/** What people and SLURM say of a run is no sign that it is alive. */
const EVENTS = `SELECT max(ts) FROM _events e WHERE e.run_id = r.run_id
  AND e.type NOT IN ('run_annotated', 'slurm_info')
  AND NOT (e.type = 'status_changed' AND json_extract(e.body, '$.event.source') IS 'slurm')`;

const ERRORS = 'SELECT max(ts) FROM run_errors e WHERE e.run_id = r.run_id';

/** The last line of each writer: it is found at the end of the writer's range, however long that is. */
function lastLines(table: 'run_metrics' | '_samples'): string {
  return `WITH RECURSIVE writers (writer) AS (
      SELECT min(writer) FROM ${table} WHERE run_id = r.run_id
      UNION ALL
      SELECT (SELECT min(t.writer) FROM ${table} t WHERE t.run_id = r.run_id AND t.writer > w.writer)
      FROM writers w WHERE w.writer IS NOT NULL)
    SELECT max((SELECT t.ts FROM ${table} t WHERE t.run_id = r.run_id AND t.writer = w.writer
      ORDER BY t.seq DESC LIMIT 1)) FROM writers w`;
}

const NEWEST_LINE: Sql = raw(
  `max(${[EVENTS, ERRORS, lastLines('run_metrics'), lastLines('_samples')]
    .map((query) => `ifnull((${query}), '')`)
    .join(', ')})`,
);
