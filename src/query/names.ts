// Which names there are in config, results and metrics: for whoever has asked for one that there is not.
import type { Db } from '../db/open.ts';

/** Only so many runs are looked at, the newest ones: what is looked for is a hint. */
const RUNS = 1000;

const COLUMNS = {
  config: 'SELECT config AS object FROM experiment_runs r ORDER BY created_at DESC LIMIT @runs',
  results: `SELECT s.results AS object FROM experiment_runs r JOIN run_results s USING (run_id)
    WHERE s.results IS NOT NULL ORDER BY r.created_at DESC LIMIT @runs`,
  extra: `SELECT s.extra AS object FROM experiment_runs r JOIN run_results s USING (run_id)
    WHERE s.extra IS NOT NULL ORDER BY r.created_at DESC LIMIT @runs`,
} as const;

/** The names in config, in results, or of metrics without a column of their own; the most frequent first. */
export function namesIn(db: Db, column: keyof typeof COLUMNS): string[] {
  return db
    .prepare<[{ runs: number }], string>(
      `SELECT key FROM (${COLUMNS[column]}), json_each(object) GROUP BY key ORDER BY count(*) DESC, key`,
    )
    .pluck()
    .all({ runs: RUNS });
}
