import Database from 'better-sqlite3';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { IN_MEMORY, openForBuilding, openForWriting, type Db } from '../../src/db/open.ts';
import { PRIMARY_KEYS, PUBLIC_TABLES } from '../../src/db/schema.ts';
import { tempDir } from '../events/temp-dir.ts';

const KEY_COLUMNS = 'experiment_number, dataset, method, subject, cl_info, seed';
type Key = [number, string, string, string | null, string | null, number | null];

function inMemory(): Db {
  const db = openForWriting(IN_MEMORY);
  onTestFinished(() => void db.close());
  return db;
}

function insertRun(db: Db, runId: string, key: Key): void {
  db.prepare(
    `INSERT INTO experiment_runs (run_id, ${KEY_COLUMNS}, status, config, tags, hidden, attempt_count, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', '{}', '[]', 0, 1, '2026-11-23T10:00:00.000Z')`,
  ).run(runId, ...key);
}

const word = fc.constantFrom('', '0', 'a', 'A', 'a ', 'null', "x''");
const text = fc.oneof(
  word,
  fc.string({ unit: 'grapheme', maxLength: 3 }).filter((value) => value.isWellFormed()),
);
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const number = fc.constantFrom(0, 1, -1, 7, Number.MAX_SAFE_INTEGER);
const key: fc.Arbitrary<Key> = fc.tuple(number, word, word, orNull(text), orNull(text), orNull(number));

test('two rows of one key are refused, NULLs counted as equal; two of different keys are not', () => {
  const db = inMemory();
  // often the same key, or one that differs in one field alone
  const other = fc.record({ key, take: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }) });
  fc.assert(
    fc.property(key, other, (first, second) => {
      const mixed = first.map((value, index) =>
        second.take[index] === true ? second.key[index] : value,
      ) as Key;
      db.exec('DELETE FROM experiment_runs');
      insertRun(db, 'first', first);
      const insert = (): void => insertRun(db, 'second', mixed);
      if (JSON.stringify(mixed) === JSON.stringify(first)) expect(insert).toThrow(/UNIQUE/);
      else expect(insert).not.toThrow();
    }),
    { numRuns: 1000 },
  );
});

test('what the key of a table is said to be is its primary key', () => {
  const db = inMemory();
  for (const table of PUBLIC_TABLES) {
    const columns = db.pragma(`table_info(${table})`) as { name: string; pk: number }[];
    const keyed = columns.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk);
    expect(
      keyed.map(({ name }) => name),
      table,
    ).toEqual(PRIMARY_KEYS[table]);
  }
});

/** All words of SQL that the schema may use; each is in SQLite since long before 3.26. */
const KNOWN_WORDS = new Set([
  'CREATE', 'TABLE', 'INDEX', 'UNIQUE', 'ON', 'PRIMARY', 'KEY', 'NOT', 'NULL', 'CHECK', 'IN', 'WITHOUT', 'ROWID', 'DEFAULT', 'WHERE',
  'TEXT', 'INTEGER', 'REAL', 'BLOB', 'DESC', 'WHERE', 'IS', 'ifnull',
]); // prettier-ignore
const TOKEN = /--.*|x?'(?:[^']|'')*'|[A-Za-z_]\w*|\d+|\s+|(.)/gy;

test('the schema is written in words of SQLite 3.26: whatever is not known to be old enough is refused', () => {
  const db = inMemory();
  const stored = db.prepare('SELECT name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL').all() as {
    name: string;
    tbl_name: string;
    sql: string;
  }[];
  expect(stored.length).toBeGreaterThan(PUBLIC_TABLES.length);
  const names = new Set(stored.flatMap(({ name, tbl_name }) => [name, ...columnsOf(db, tbl_name)]));
  for (const { sql } of stored) {
    const tokens = [...sql.matchAll(TOKEN)].map(([token]) => token);
    expect(tokens.join('')).toBe(sql);
    const strange = tokens.filter((token) => {
      if (/^\w+$/.test(token) && !/^\d/.test(token)) return !KNOWN_WORDS.has(token) && !names.has(token);
      return !/^(?:--.*|x?'.*'|\d+|\s+|[(),=>])$/s.test(token);
    });
    expect(strange, sql).toEqual([]);
  }
});

/** Generated columns are hidden from table_info, and so are none of ours. */
function columnsOf(db: Db, table: string): string[] {
  const columns = db.pragma(`table_xinfo(${table})`) as { name: string; hidden: number }[];
  expect(columns.filter(({ hidden }) => hidden !== 0)).toEqual([]);
  return columns.map(({ name }) => name);
}

test('the file format is the one that SQLite has read since 3.7', () => {
  const file = path.join(tempDir(), 'runs.db');
  openForWriting(file).close();
  const header = fs.readFileSync(file).subarray(0, 100);
  // write and read version 2 is WAL; schema format 4; UTF-8; no reserved bytes, which extensions use
  expect([header[18], header[19], header[20], header.readUInt32BE(44), header.readUInt32BE(56)]).toEqual([
    2, 2, 0, 4, 1,
  ]);
});

const PYTHON = `
import sqlite3, sys
db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
print(sum(db.execute('SELECT count(*) FROM "%s"' % name).fetchone()[0] for name in tables), db.execute('PRAGMA integrity_check').fetchone()[0])
`;
const HAS_PYTHON = spawnSync('python3', ['-c', 'import sqlite3']).status === 0;

test.skipIf(!HAS_PYTHON)('another, older SQLite reads it', () => {
  const directory = tempDir();
  const file = path.join(directory, 'runs.db');
  const db = openForBuilding(file);
  insertRun(db, 'one', [1, 'd', 'm', null, null, 7]);
  db.close();
  const live = path.join(directory, 'live.db');
  openForWriting(live).close();
  const writer = new Database(live);
  writer.exec("INSERT INTO _projection (id, ledger_id, ledger_path) VALUES (1, 'x', 'y')");
  onTestFinished(() => void writer.close());

  for (const name of [file, live]) {
    const { stdout, stderr } = spawnSync('python3', ['-c', PYTHON, name], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: '1 ok\n', stderr: '' });
  }
});
