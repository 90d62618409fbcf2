// Values that the database has. It is read as it is: who presses Tab does not wait for the log.
import { existsSync } from 'node:fs';
import sql, { type Sql } from 'sql-template-tag';
import { databasePath, prepareDatabaseDirectory } from '../../db/location.ts';
import { openReadOnly, type Db } from '../../db/open.ts';
import { fieldNames, metricNames, pathsIn } from '../../query/names.ts';
import { LAST } from '../../query/run.ts';
import { noteOf } from '../../projector/ledger-note.ts';
import { mayHang } from '../../db/mounts.ts';
import { findLedger, ledgerCandidates } from '../../events/ledger.ts';
import { DirectoryStorage } from '../../projector/storage.ts';
import type { CliIo } from '../io.ts';
import { printSafe } from '../print-safe.ts';
import type { Candidate, Known, KnownName } from './complete.ts';
import { isPlain } from './plain.ts';

const MAX_VALUES = 200;

/** How long a person does not notice. */
const PATIENCE_MS = 100;

/** Those that begin as the word does, as whole words; none if there is no database, or the log does not answer. */
export async function knownValues(
  wanted: Known,
  io: Pick<CliIo, 'env' | 'cwd' | 'abandon'>,
): Promise<Candidate[]> {
  const file = await databaseOf(wanted, io);
  if (file === undefined || !existsSync(file)) return [];
  prepareDatabaseDirectory(file, process.getuid?.() ?? 0);
  const db = openReadOnly(file);
  try {
    db.pragma(`busy_timeout = ${PATIENCE_MS}`);
    return read(db, wanted.name, wanted.typed)
      .filter(({ value }) => isPlain(value))
      .map(({ value, description }) => {
        return { value: wanted.before + value, description: printSafe(description) };
      });
  } finally {
    db.close();
  }
}

async function databaseOf(
  { ledger, db }: Known,
  { env, cwd, abandon }: Pick<CliIo, 'env' | 'cwd' | 'abandon'>,
): Promise<string | undefined> {
  const place = { explicit: db, env, uid: process.getuid?.() ?? 0, cwd };
  // named: then the log need not be asked for its id
  if (db || env['RUNFOLD_DB']) return databasePath({ ...place, ledgerId: '' });
  const sought = { explicit: ledger, env, cwd };
  const candidates = ledgerCandidates(sought);
  // not even looked for then: Tab must not hang
  if (candidates.some((candidate) => mayHang(candidate))) {
    const known = candidates.map((candidate) => noteOf(candidate, { env, cwd }).ledger);
    const nearest = known.find((info) => info !== undefined);
    return nearest && databasePath({ ...place, ledgerId: nearest.ledger_id });
  }
  const directory = findLedger(sought);
  if (directory === undefined) return undefined;
  const id = await withinPatience(new DirectoryStorage(directory).identify());
  if (id === undefined) abandon();
  return id && databasePath({ ...place, ledgerId: id.ledger_id });
}

async function withinPatience<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function read(db: Db, name: KnownName, typed: string): Candidate[] {
  switch (name) {
    case 'run': {
      const ids = query(db, 'runId', typed);
      const isLast = LAST.startsWith(typed) && query(db, 'runId', '').length > 0;
      return isLast ? [...ids, { value: LAST, description: 'the run that was started last' }] : ids;
    }
    case 'metric':
      return named(metricNames(db), typed);
    case 'score':
      return named([...metricNames(db), ...pathsIn(db, 'results').map((path) => `results.${path}`)], typed);
    case 'field':
      return named(fieldNames(db), typed);
    case 'group':
      return named(['none', ...fieldNames(db)], typed);
    case 'runId':
    case 'tag':
    case 'dataset':
    case 'method':
    case 'subject':
    case 'clInfo':
    case 'seed':
    case 'experimentNumber':
      return query(db, name, typed);
  }
}

function named(names: readonly string[], typed: string): Candidate[] {
  return names
    .filter((value) => value.startsWith(typed))
    .slice(0, MAX_VALUES)
    .map((value) => ({ value, description: '' }));
}

type QueriedName = Exclude<KnownName, 'run' | 'metric' | 'score' | 'field' | 'group'>;

function query(db: Db, name: QueriedName, typed: string): Candidate[] {
  const { sql: text, values } = querySql(name, typed);
  return db.prepare<unknown[], Candidate>(text).all(...values);
}

function querySql(name: QueriedName, typed: string): Sql {
  switch (name) {
    case 'runId':
      return sql`SELECT run_id AS value, dataset || ' ' || method || ifnull(' ' || seed, '') || ' ' || status AS description
        FROM experiment_runs WHERE substr(run_id, 1, length(${typed})) = ${typed}
        ORDER BY created_at DESC, run_id LIMIT ${MAX_VALUES}`;
    case 'tag':
      return distinctSql(sql`json_each.value`, sql`experiment_runs, json_each(tags)`, typed);
    case 'dataset':
      return distinctSql(sql`dataset`, RUNS, typed);
    case 'method':
      return distinctSql(sql`method`, RUNS, typed);
    case 'subject':
      return distinctSql(sql`subject`, RUNS, typed);
    case 'clInfo':
      return distinctSql(sql`cl_info`, RUNS, typed);
    case 'seed':
      return distinctSql(sql`seed`, RUNS, typed);
    case 'experimentNumber':
      return distinctSql(sql`experiment_number`, RUNS, typed);
  }
}

const RUNS = sql`experiment_runs`;

function distinctSql(value: Sql, from: Sql, typed: string): Sql {
  return sql`SELECT DISTINCT CAST(${value} AS TEXT) AS value, '' AS description FROM ${from}
    WHERE ${value} IS NOT NULL AND substr(${value}, 1, length(${typed})) = ${typed}
    ORDER BY 1 LIMIT ${MAX_VALUES}`;
}
