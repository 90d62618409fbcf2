// What is going on now, and how long ago each of it gave a sign of life.
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import { FROM_RUNS } from './field-sql.ts';
import { lastTsSql } from './last-ts.ts';
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

const NEWEST_LINE: Sql = raw(
  `max(${[EVENTS, ERRORS, lastTsSql('run_metrics', 'r.run_id'), lastTsSql('_samples', 'r.run_id')]
    .map((query) => `ifnull((${query}), '')`)
    .join(', ')})`,
);
