// CSV: data frames get what was there, spreadsheets nothing to run.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csv } from '../../../src/cli/format/csv.ts';
import { cell, missing, type CellValue } from '../../../src/cli/format/table.ts';
import { readCsv } from './csv-reader.ts';
import { ACTS, tables, withoutJoined } from './hostile-tables.ts';

/** What a person would write: any script, quotes, commas and line ends within. */
const benign = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(',', '"', '\n', '\t', ';', ' ', "'", 'é', '中', '😀'),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
  })
  .filter((text) => !/^\s*[=+\-@]|^[\t\n]/.test(text));

function one(value: CellValue): string | null | undefined {
  return readCsv(csv({ columns: [{ name: 'x' }, { name: 'y' }], rows: [[cell(value), cell(1)]] }))[1]?.[0];
}

test('values come back as they were', () => {
  const benignTables = tables(
    fc.oneof(benign, fc.double(), fc.boolean(), fc.constant(null)).map((value) => cell(value)),
    benign,
  );
  fc.assert(
    fc.property(benignTables, (table) => {
      const [heading = [], ...rows] = readCsv(csv(table));
      expect(heading.map((name) => name ?? '')).toEqual(table.columns.map(({ name }) => name));
      expect(rows).toHaveLength(table.rows.length);
      for (const [index, row] of rows.entries()) {
        const values = (table.rows[index] ?? []).map(({ value }) => value);
        // one column: a line of nothing would be no row, so that nothing is ""
        const texts = values.map((value) =>
          value === null ? (values.length === 1 ? '' : null) : String(value),
        );
        expect(row).toEqual(texts);
        for (const [at, value] of values.entries())
          if (typeof value === 'number') expect(Number(row[at])).toEqual(value + 0);
      }
    }),
    { numRuns: 1000 },
  );
});

test('objects and arrays are JSON', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())),
      (value) => {
        expect(JSON.stringify(JSON.parse(one(value) ?? ''))).toBe(JSON.stringify(value));
      },
    ),
  );
});

test('no cell begins a formula, whatever is skipped before it; nothing acts on a terminal', () => {
  fc.assert(
    fc.property(tables(), (table) => {
      const text = csv(table);
      expect(withoutJoined(text).replaceAll(/[\n\t]/g, '')).not.toMatch(ACTS);
      const [heading = [], ...rows] = readCsv(text);
      const cells = rows.flatMap((row, index) =>
        row.map((shown, at) => ({ shown, value: table.rows[index]?.[at]?.value })),
      );
      for (const { shown, value } of [...heading.map((name) => ({ shown: name, value: name })), ...cells]) {
        if (shown === null || typeof value === 'number' || value === '-Infinity') continue;
        expect(shown).not.toMatch(/^[\t\r\n]/);
        expect(shown.normalize('NFKC')).not.toMatch(/^\s*[=+\-@\u2212]/);
      }
    }),
    { numRuns: 1000 },
  );
});

test.each<[CellValue, string]>([
  ["=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"],
  [' \n@x', "' \n@x"],
  ['＋1', "'＋1"],
  ['-1.5', "'-1.5"],
  [-1.5, '-1.5'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
  ['-Infinity', '-Infinity'],
  ['a\r\u202eb\u001b', String.raw`a\x0d\u{202e}b\x1b`],
  ['\ud800', String.raw`\u{d800}`],
  [0.1 + 0.2, '0.30000000000000004'],
  ['', ''],
])('%j is %j', (value, expected) => {
  expect(one(value)).toBe(expected);
});

test('what is missing is not the empty string, and a row of one missing cell is a row', () => {
  expect(csv({ columns: [{ name: 'x' }, { name: 'y' }], rows: [[missing(), cell('')]] })).toBe('x,y\n,""\n');
  expect(csv({ columns: [{ name: 'x' }], rows: [[missing()]] })).toBe('x\n""\n');
});
