// conformance/rows: the event files come to the rows that stand beside them, whatever way they are read.
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { PUBLIC_TABLES } from '../../src/db/schema.ts';
import { eventFilePath } from '../../src/events/layout.ts';
import { given } from '../helpers/given.ts';
import type { GivenFile } from '../helpers/lines.ts';
import { CONFORMANCE, type Json } from './cases.ts';

const ROWS = path.join(CONFORMANCE, 'rows');

describe.each(fs.readdirSync(ROWS))('%s', (folder) => {
  it('comes to its rows', async () => {
    const outcome = await given(...filesOf(path.join(ROWS, folder)));
    const text = fs.readFileSync(path.join(ROWS, folder, 'rows.json'), 'utf8');
    const expected = JSON.parse(text) as Record<string, Json[]>;
    expect(Object.keys(expected)).toEqual([...PUBLIC_TABLES]);
    for (const table of PUBLIC_TABLES) {
      // what is not named is NULL
      const rows = (expected[table] ?? []).map((row, index) => {
        const columns = Object.keys(outcome.rows(table)[index] ?? {});
        return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
      });
      outcome.expectRows(table, rows);
    }
    outcome.expectRejected();
    expect(outcome.findings()).toEqual([]);
  });
});

function filesOf(folder: string): GivenFile[] {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.ndjson'));
  return names.map((name) => {
    const [, writer = '', origin = ''] = /^([^-]+)-(.*)\.ndjson$/.exec(name) ?? [];
    return { path: eventFilePath(writer, origin), bytes: fs.readFileSync(path.join(folder, name)) };
  });
}
