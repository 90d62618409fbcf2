// Runs that were started over with another config: what looks like a repetition may be a sweep.
import type { Db } from '../db/open.ts';

/** Of the given runs, those whose attempts that started over differ in config. */
export function runsWithChangedConfig(db: Db, runIds: readonly string[]): string[] {
  const configs = db
    .prepare<[string], number>('SELECT count(DISTINCT config) FROM _attempts WHERE run_id = ? AND resume = 0')
    .pluck();
  return runIds.filter((runId) => (configs.get(runId) ?? 0) > 1);
}
