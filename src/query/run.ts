// One run, by its id or as much of it as tells it apart.
import type { Db } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import { shown } from './arguments.ts';
import { runRecord, type RunRecord, type RunRow } from './run-record.ts';

const SHOWN_CANDIDATES = 5;

const RUN_ID_LENGTH = 16;
/** As much of a run id as a person may type; nothing else reaches the database. */
const RUN_ID_PREFIX = /^[0-9a-hjkmnp-tv-z]{1,16}$/;
/** The ASCII character after z: greater than any that an id can go on with. */
const AFTER_ALL = '{';

/** What stands for the run of which an attempt began last. */
export const LAST = '@last';

/**
 * The run whose id is `id` or, if there is exactly one, begins with it. Upper case is taken as lower case.
 * Hidden runs are found too. `@last` is the run of which an attempt began last.
 *
 * @throws RunfoldError `run_not_found` if no run or more than one begins with `id`; the message says which,
 *   and lists up to five of them.
 */
export function getRun(db: Db, id: string): RunRecord {
  if (id === LAST) {
    const last = lastRun(db);
    if (last !== undefined) return last;
    throw new RunfoldError('run_not_found', 'there are no runs yet', {
      hint: 'A job makes one with RunLogger, or with: runfold emit run-created',
    });
  }
  const prefix = typeof id === 'string' ? id.toLowerCase() : '';
  if (!RUN_ID_PREFIX.test(prefix)) throw notFound(`${shown(id)} is not the beginning of a run id`);
  const found = runWithPrefix(db, prefix);
  if (found !== undefined) return found;
  throw notFound(`no run has an id that begins with ${shown(prefix)}`);
}

/**
 * The id of the run that `getRun` finds. A whole id is itself, whether or not there is such a run: one may have points
 * or errors though its `run_created` is missing. Undefined: there is no such run.
 *
 * @throws RunfoldError `run_not_found` if more than one run begins with `id`.
 */
export function resolveRunId(db: Db, id: string): string | undefined {
  if (id === LAST) return lastRun(db)?.run_id;
  const prefix = typeof id === 'string' ? id.toLowerCase() : '';
  if (!RUN_ID_PREFIX.test(prefix)) return undefined;
  return prefix.length === RUN_ID_LENGTH ? prefix : runWithPrefix(db, prefix)?.run_id;
}

function runWithPrefix(db: Db, prefix: string): RunRecord | undefined {
  // one statement, so that the number of runs and the run itself are of one moment
  const rows = db
    .prepare<[{ from: string; to: string; limit: number }], RunRow & { total: number }>(
      `SELECT *, count(*) OVER () AS total FROM experiment_runs
       WHERE run_id >= @from AND run_id < @to ORDER BY run_id LIMIT @limit`,
    )
    .all({ from: prefix, to: prefix + AFTER_ALL, limit: SHOWN_CANDIDATES });
  const [first] = rows;
  if (first === undefined) return undefined;
  const { total, ...row } = first;
  if (total === 1) return runRecord(row);

  const candidates = rows.map((candidate) => candidate.run_id).join(', ');
  const more = total > rows.length ? ', …' : '';
  throw new RunfoldError(
    'run_not_found',
    `${total} runs have an id that begins with ${shown(prefix)}: ${candidates}${more}`,
    { hint: 'Give more of its characters.' },
  );
}

function lastRun(db: Db): RunRecord | undefined {
  const row = db
    .prepare<[], RunRow>(
      `SELECT * FROM experiment_runs WHERE run_id =
         (SELECT run_id FROM _attempts ORDER BY created_at DESC, run_id LIMIT 1)`,
    )
    .get();
  return row === undefined ? undefined : runRecord(row);
}

function notFound(message: string): RunfoldError {
  return new RunfoldError('run_not_found', message, {
    hint: 'A run id is 16 characters of 0-9 and a-z; its first few will do, or @last. See: runfold runs',
  });
}
