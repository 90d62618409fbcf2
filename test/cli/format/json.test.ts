// JSON and NDJSON parse back as what was in the table.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { json } from '../../../src/cli/format/json.ts';
import { ndjson } from '../../../src/cli/format/ndjson.ts';
import type { Table } from '../../../src/cli/format/table.ts';
import { toJsonSafe } from '../../../src/events/json-safe.ts';
import { tables } from './hostile-tables.ts';

function entriesOf({ columns, rows }: Table): (readonly [string, unknown])[][] {
  return rows.map((row) =>
    columns
      .map(({ name }, index) => [name, plain(row[index]?.value)] as const)
      // the order of an object's keys, which JSON.parse puts numbers of first
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** -0 is 0 in JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(toJsonSafe(value)));
}

function parsedEntries(text: string): [string, unknown][] {
  return Object.entries(JSON.parse(text) as object).sort(([a], [b]) => (a < b ? -1 : 1));
}

const named = tables(
  undefined,
  fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', '0')),
);

test('both have every value, also of columns named like what objects have', () => {
  fc.assert(
    fc.property(named, (table) => {
      const whole = json(table);
      const lines = ndjson(table);
      expect(whole + lines).toMatch(/^[ -~\n]*$/);
      const rows = JSON.parse(whole) as unknown[];
      expect(rows.map((row) => parsedEntries(JSON.stringify(row)))).toEqual(entriesOf(table));
      expect(lines.split('\n').slice(0, -1).map(parsedEntries)).toEqual(entriesOf(table));
    }),
    { numRuns: 500 },
  );
});
