// The list of runs.
import type { Db } from '../db/open.ts';
import { filterSql, type RunFilter } from './run-filter.ts';
import { runRecord, type RunRecord, type RunRow } from './run-record.ts';

/**
 * The runs that match, newest first (by `created_at`, then by `run_id`); hidden ones only if asked for. A run
 * of which only metrics or errors have arrived, but no `run_created`, is not among them.
 *
 * @throws RunfoldError `invalid_key` or `usage` if the filter makes no sense.
 */
export function getAllRuns(db: Db, filter: RunFilter = {}): RunRecord[] {
  const { where, bound } = filterSql(filter);
  return db
    .prepare<[FilterValues], RunRow>(
      `SELECT * FROM experiment_runs WHERE ${where}
       ORDER BY created_at DESC, run_id LIMIT @limit OFFSET @offset`,
    )
    .all(bound)
    .map(runRecord);
}

type FilterValues = ReturnType<typeof filterSql>['bound'];
