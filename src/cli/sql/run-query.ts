// One query against the database, as messages. Whatever it says, it only reads.
import type { Statement } from 'better-sqlite3';
import { openReadOnly, type Db } from '../../db/open.ts';
import { errnoOf, messageOf } from '../../errors.ts';
import { batchesOf } from '../export/batches.ts';
import type { Message, Request, SqlValue } from './wire.ts';

type Stored = string | number | bigint | Buffer | null;
type Query = Statement<[], Stored[]>;

const BATCH = { rows: 500, characters: 262_144 };

/** Runs it as the messages are taken. The last is `done` or says what is wrong. */
export function* runQuery({ file, query }: Request): Generator<Message> {
  let isPrepared = false;
  try {
    const db = openReadOnly(file);
    try {
      const statement = prepare(db, query);
      isPrepared = true;
      yield { kind: 'columns', names: distinct(statement.columns().map(({ name }) => name)) };
      for (const rows of batchesOf(valuesOf(statement), BATCH)) yield { kind: 'rows', rows };
      yield { kind: 'done' };
    } finally {
      db.close();
    }
  } catch (error) {
    // what is not SQLite's is the driver's: parameters without values
    const code = isPrepared && errnoOf(error) !== undefined ? 'query_failed' : 'usage';
    yield { kind: 'failed', code, message: messageOf(error) };
  }
}

function prepare(db: Db, query: string): Query {
  const statement = db.prepare<[], Stored[]>(query);
  if (!statement.readonly || !statement.reader) {
    throw new Error('only a query that returns rows and changes nothing can be run');
  }
  return statement.raw().safeIntegers();
}

function* valuesOf(statement: Query): Generator<SqlValue[]> {
  for (const row of statement.iterate()) yield row.map(sqlValue);
}

function sqlValue(value: Stored): SqlValue {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return Buffer.isBuffer(value) ? value.toString('hex') : value;
}

/** Of two columns of one name, as a join may give, the second is `name_2`. */
export function distinct(names: readonly string[]): string[] {
  const given = new Set(names);
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    // one that the query itself has named so keeps its name
    for (let number = 2; used.has(unique) || (unique !== name && given.has(unique)); number += 1) {
      unique = `${name}_${number}`;
    }
    used.add(unique);
    return unique;
  });
}
