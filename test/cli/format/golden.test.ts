// How each format looks, hostile names and all; `npx vitest run test/cli/format -u` writes the files anew.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { printTable } from '../../../src/cli/format/format.ts';
import { cell, FORMATS, missing, type Format, type Table } from '../../../src/cli/format/table.ts';
import { commandLine } from '../../../src/cli/shell-quote.ts';
import { HOSTILE_TEXTS } from './hostile-tables.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/formats/', import.meta.url));
const SUFFIXES: Readonly<Record<Format, string>> = {
  table: 'txt',
  csv: 'csv',
  ndjson: 'ndjson',
  markdown: 'md',
  latex: 'tex',
  json: 'json',
};

const TABLE: Table = {
  columns: [
    { name: 'method', shrink: 'cut' },
    { name: 'best_loss', label: 'Best loss' },
    { name: '__proto__', label: '=Δ [%]' },
    { name: 'tags', shrink: 'cut' },
  ],
  rows: [
    [cell('adam'), cell(0.123_456_789, '0.123 ± 0.004', 'best'), cell(-1.5), cell(['a', '=b'])],
    [cell('sgd'), cell(0.25, '0.250 ± 0.010', 'second'), cell(1e-7), cell({ lr: 0.1, loss: Number.NaN })],
    [cell('diverged'), cell('NaN', undefined, 'bad'), cell('-Infinity'), missing()],
    ...HOSTILE_TEXTS.map((text) => [cell(text, undefined, 'best'), missing(), cell(true), cell(false, text)]),
  ],
  notes: ['best is bold, second underlined', '# no heading\n% made by: \\evil'],
};

test.each(FORMATS)('%s', async (format) => {
  const text = printTable(TABLE, format, {
    width: 100,
    isColoured: false,
    command: commandLine(['compare', '--where', "name='x\n\\input{evil}'", '--format', format]),
  });
  await expect(text).toMatchFileSnapshot(`${FOLDER}hostile.${SUFFIXES[format]}`);
});

test('table, in colours and not cut', async () => {
  const text = printTable(TABLE, 'table', { width: undefined, isColoured: true });
  await expect(text).toMatchFileSnapshot(`${FOLDER}coloured.txt`);
});

test.each<[Format, string]>([
  ['table', 'a  b\n'],
  ['csv', 'a,b\n'],
  ['ndjson', ''],
  ['json', '[]\n'],
  ['markdown', '| a  | b  |\n| :- | :- |\n'],
])('no rows as %s', (format, expected) => {
  const empty: Table = { columns: [{ name: 'a' }, { name: 'b' }], rows: [] };
  expect(printTable(empty, format, { width: 80, isColoured: false })).toBe(expected);
});
