/**
 * A ledger is for ever: every later release reads the lines of version 1 into these tables. The files below
 * `test/fixtures/v1/ledger` are kept for ever and never edited; new samples go into new files. `tables.json` was
 * worked out once; it changes only when the contract does (a new column, say), never because the code does.
 */
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { IN_MEMORY, openForWriting, type Db } from '../src/db/open.ts';
import { EVENT_TYPES } from '../src/events/event.ts';
import { eventSchemas } from '../src/events/event-schemas.ts';
import { readLedger } from '../src/events/ledger.ts';
import { REJECT_CODES } from '../src/events/reject-codes.ts';
import { Projector } from '../src/projector/projector.ts';
import { DirectoryStorage } from '../src/projector/storage.ts';
import { given, type Outcome } from './helpers/given.ts';
import type { Fields, GivenFile } from './helpers/lines.ts';
import { tablesOf } from './helpers/tables.ts';
import { model, type Tables } from './model/model.ts';

const V1 = fileURLToPath(new URL('fixtures/v1/', import.meta.url));
const LEDGER = path.join(V1, 'ledger');
const EXPECTED = JSON.parse(fs.readFileSync(path.join(V1, 'tables.json'), 'utf8')) as Tables;

const FILES: GivenFile[] = fs
  .readdirSync(path.join(LEDGER, 'events'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ndjson'))
  .toSorted()
  .map((name) => ({ path: `events/${name}`, bytes: fs.readFileSync(path.join(LEDGER, 'events', name)) }));

async function projected(): Promise<Db> {
  const db = openForWriting(IN_MEMORY);
  onTestFinished(() => {
    db.close();
  });
  await new Projector(db, readLedger(LEDGER), new DirectoryStorage(LEDGER), { now: () => 0 }).pass({
    thorough: true,
  });
  return db;
}

describe('lines of version 1', () => {
  test('come to these tables, from the files as they are', async () => {
    expect(tablesOf(await projected())).toEqual(EXPECTED);
  });

  test('come to these tables, however they arrive', async () => {
    const { db }: Outcome = await given(...FILES);
    expect(tablesOf(db)).toEqual(EXPECTED);
  });

  test('come to these tables by the model too', () => {
    expect(model(FILES.map(({ path: name, bytes }) => ({ path: name, bytes, quiet: true })))).toEqual(
      EXPECTED,
    );
  });
});

/** All objects of all lines, whatever becomes of them. */
const LINES: Fields[] = FILES.flatMap(({ bytes }) => bytes.toString('utf8').split('\n')).flatMap((line) => {
  try {
    const value = JSON.parse(line) as Fields | null;
    return typeof value === 'object' && value !== null ? [value] : [];
  } catch {
    return [];
  }
});

function valuesOf(type: string, field: string): unknown[] {
  return LINES.filter((line) => line['type'] === type).map((line) => line[field]);
}

describe('the samples', () => {
  test('have every event type', () => {
    for (const type of EVENT_TYPES)
      expect(
        LINES.map((line) => line['type']),
        type,
      ).toContain(type);
  });

  const FIELDS = EVENT_TYPES.flatMap((type) =>
    Object.keys(eventSchemas()[type].shape).map((field) => [type, field] as const),
  );
  // what every line has or may leave out is tested by the tables
  test.each(FIELDS)('have %s with and without its %s', (type, field) => {
    const values = valuesOf(type, field);
    expect(values.some((value) => value !== null && value !== undefined)).toBe(true);
    const schema = eventSchemas()[type].shape as Record<
      string,
      { safeParse(value: unknown): { success: boolean } }
    >;
    const mayBeAbsent = schema[field]?.safeParse(undefined).success === true;
    if (mayBeAbsent && type !== 'writer_opened' && type !== 'writer_closed')
      expect(values).toContain(undefined);
  });

  test('have every field within code and client', () => {
    const inner = (type: 'run_created' | 'writer_opened', field: string): string[] =>
      valuesOf(type, field).flatMap((value) => Object.keys(value ?? {}));
    expect(new Set(inner('run_created', 'code'))).toEqual(
      new Set(['git_commit', 'git_dirty', 'command', 'cwd']),
    );
    expect(new Set(inner('writer_opened', 'client'))).toEqual(new Set(['name', 'version']));
  });

  test('have every word of the named sets, and every value that is not finite', () => {
    expect(valuesOf('status_changed', 'status')).toEqual(
      expect.arrayContaining(['pending', 'running', 'completed', 'failed', 'timeout']),
    );
    expect(valuesOf('status_changed', 'source')).toEqual(
      expect.arrayContaining(['job', 'wrapper', 'slurm', undefined]),
    );
    expect(valuesOf('slurm_info', 'source')).toEqual(expect.arrayContaining(['env', 'squeue', 'sacct']));
    const metrics = JSON.stringify(LINES.filter((line) => line['type'] === 'metric'));
    for (const word of ['"NaN"', '"Infinity"', '"-Infinity"']) expect(metrics).toContain(word);
  });

  test('have a line for every reason to reject one that a text file can hold and that lets the file be read on', () => {
    const elsewhere = new Set(['too_long', 'nul_hole', 'no_header', 'second_header', 'other_format']);
    const codes = Object.keys(REJECT_CODES).filter((code) => !elsewhere.has(code));
    expect([...new Set(EXPECTED.rejected.map((row) => String(row['code'])))].toSorted()).toEqual(
      codes.toSorted(),
    );
  });
});
