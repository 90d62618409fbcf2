// Errors by what they have in common: which of them are one mistake.
import sql from 'sql-template-tag';
import type { Db } from '../db/open.ts';
import { wrongArgument } from './arguments.ts';
import { FROM_RUNS } from './field-sql.ts';
import { filterSql, type RunFilter } from './run-filter.ts';
import type { RunError } from './run-errors.ts';
import { tracebackPlace } from './traceback-place.ts';

export interface ErrorGroupsOptions extends RunFilter {
  /** `type` (the default): by the exception's class. `place`: by class, file, line and function as well. */
  by?: 'type' | 'place' | undefined;
}

export interface ErrorGroup {
  exception_type: string;
  /** `train.py:41 in step`; null by `type`, and where no traceback says it. */
  place: string | null;
  /** Of errors. */
  count: number;
  /** The runs that had it, in the order of their newest error, newest first. */
  run_ids: readonly string[];
  first_ts: string;
  last_ts: string;
  /** Of the newest. */
  message: string;
}

/**
 * The errors of the runs that match, in groups: that of the most runs first, then that of the most errors. Errors of
 * earlier attempts are among them.
 *
 * @throws RunfoldError as `getAllRuns` does.
 */
export function getErrorGroups(db: Db, options: ErrorGroupsOptions = {}): ErrorGroup[] {
  const { by = 'type', ...filter } = options;
  if (by !== 'type' && by !== 'place') throw wrongArgument('by', '"type" or "place"', by);
  const groups = new Map<string, GroupInMaking>();
  const { sql: text, values } = sql`SELECT e.* FROM ${FROM_RUNS} JOIN run_errors e ON e.run_id = r.run_id
    WHERE ${filterSql(filter)} ORDER BY e.ts DESC, e.run_id, e.writer, e.seq DESC`;
  for (const error of db.prepare<unknown[], RunError>(text).iterate(...values)) {
    const place = by === 'place' ? tracebackPlace(error.traceback) : null;
    const key = JSON.stringify([error.exception_type, place]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, newGroup(error, place));
    else {
      group.count += 1;
      group.runs.add(error.run_id);
      group.first_ts = error.ts;
    }
  }
  return [...groups.values()]
    .toSorted((a, b) => b.runs.size - a.runs.size || b.count - a.count)
    .map(({ runs, ...group }) => ({ ...group, run_ids: [...runs] }));
}

type GroupInMaking = Omit<ErrorGroup, 'run_ids'> & { runs: Set<string> };

function newGroup({ exception_type, message, ts, run_id }: RunError, place: string | null): GroupInMaking {
  return { exception_type, place, count: 1, runs: new Set([run_id]), first_ts: ts, last_ts: ts, message };
}
