// What stands in a terminal: aligned, within its width, and nothing of it acts.
import fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { cell, type Table } from '../../../src/cli/format/table.ts';
import { terminal } from '../../../src/cli/format/terminal.ts';
import { shortNumber } from '../../../src/cli/value-text.ts';
import { ACTS, tables, withoutJoined } from './hostile-tables.ts';

const PLAIN = { width: undefined, isColoured: false };
/** Scripts of one and two columns a character, with marks of none. */
const wide = fc
  .array(
    fc.constantFrom('a', 'Z', '0', 'é', 'e\u0301', '中', 'が', '한', '😀', '🫠', '👍🏽', '🇩🇪', 'न', 'स्ते', 'ﾊﾞ'),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

test('nothing that acts but the ends of lines, and no spaces before them', () => {
  fc.assert(
    fc.property(tables(), fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }), (table, width) => {
      const text = terminal(table, { width, isColoured: false });
      expect(withoutJoined(text).replaceAll('\n', '')).not.toMatch(ACTS);
      expect(text).toMatch(/\n$/);
      expect(text).not.toMatch(/ \n/);
      const notes = table.notes ?? [];
      if (width !== undefined) return;
      expect(text.split('\n')).toHaveLength(
        1 + table.rows.length + (notes.length > 0 ? 1 + notes.length : 0) + 1,
      );
    }),
    { numRuns: 1000 },
  );
});

test('colours add nothing but colours', () => {
  fc.assert(
    fc.property(tables(), fc.integer({ min: 1, max: 200 }), (table, width) => {
      const coloured = terminal(table, { width, isColoured: true });
      expect(stripVTControlCharacters(coloured)).toBe(terminal(table, { width, isColoured: false }));
      expect(coloured.replaceAll(/\u001b\[(?:1|2|4|22|24|31|32|33|39)m/g, '')).not.toContain('\u001b');
    }),
  );
});

/** Texts of any script, and numbers of any size. */
const anyCell = fc.oneof(
  wide.map((text) => cell(text.repeat(3))),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => cell(value)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => cell(value, shortNumber(value))),
  fc.integer().map((value) => cell(value)),
  fc.constantFrom(cell(null), cell('NaN'), cell('-Infinity'), cell(0.95, '0.950 ± 0.010 (3/4) *')),
);

test('a table whose columns may shrink fits any terminal in which two columns have room', () => {
  const width = fc.integer({ min: 2 * 24 + 2, max: 120 });
  const notes = fc.array(fc.array(wide).map((words) => words.join(' ')));
  fc.assert(
    fc.property(tables(anyCell, wide), notes, width, (table, some, room) => {
      for (const line of terminal({ ...table, notes: some }, { width: room, isColoured: false }).split('\n'))
        expect(stringWidth(line)).toBeLessThanOrEqual(room);
    }),
  );
});

/** Half of what the last digit that is shown stands for. */
function roundingOf(shown: string): number {
  const [, decimals = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(shown) ?? [
    '',
    '',
    'NaN',
  ];
  return Number(`0.5e${Number(exponent) - decimals.length}`);
}

test('a number is never cut: what is shown is the number to its last digit, and none is lost', () => {
  const numbers = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: -1e-3, max: 1e-3, noNaN: true }),
    fc.constantFrom(0.036_12, 123_456_789.5, 0.000_001_25, 1.5e-30, 9.99, 999.96, 1e15, -1e21),
    fc.integer(),
  );
  const rows = fc
    .integer({ min: 1, max: 8 })
    .chain((length) =>
      fc.array(fc.array(numbers, { minLength: length, maxLength: length }), { minLength: 1 }),
    );
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 120 }), fc.boolean(), (values, width, isShort) => {
      const table: Table = {
        columns: (values[0] ?? []).map((_, index) => ({ name: `c${index}`, shrink: 'cut' })),
        rows: values.map((row) => row.map((value) => cell(value, isShort ? shortNumber(value) : undefined))),
      };
      const blocks = terminal(table, { width, isColoured: false }).trimEnd().split('\n\n');
      const seen = new Set<string>();
      for (const [heading = [], ...lines] of blocks.map(wordsOf)) {
        expect(lines).toHaveLength(values.length);
        for (const [row, words] of lines.entries())
          for (const [place, word] of words.entries()) {
            const name = heading[place] ?? '';
            const value = values[row]?.[Number(name.slice(1))] ?? Number.NaN;
            seen.add(name);
            const allowed = roundingOf(word) * (1 + 1e-9) + Math.abs(value) * 1e-15;
            expect(Math.abs(Number(word) / 2 - value / 2)).toBeLessThanOrEqual(
              allowed / 2 + Number.MIN_VALUE,
            );
          }
      }
      expect([...seen]).toEqual(table.columns.map(({ name }) => name));
    }),
    { numRuns: 500 },
  );
});

/** What stands in the lines of a block, by column. */
function wordsOf(block: string): string[][] {
  return block.split('\n').map((line) => line.trim().split(/ +/));
}

test('columns begin, or end, at one place in every line', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(wide, wide, wide)), fc.constantFrom('left', 'right'), (given, align) => {
      const table: Table = {
        columns: [{ name: 'first' }, { name: 'second', align }, { name: 'third' }],
        rows: given.map((texts) => texts.map((text) => cell(text))),
      };
      const [heading = '', ...lines] = terminal(table, PLAIN).trimEnd().split('\n');
      const second = [/^first +/, /^first +second/][align === 'left' ? 0 : 1]?.exec(heading)?.[0].length ?? 0;
      for (const [index, line] of lines.entries()) {
        const [first = '', text = '', third = ''] = given[index] ?? [];
        expect(line.startsWith(first)).toBe(true);
        expect(line.endsWith(third)).toBe(true);
        expect(stringWidth(line) - stringWidth(third)).toBe(heading.indexOf('third'));
        // as there are no spaces in a text, these part the columns
        const before = line.slice(0, line.indexOf(text, first.length + 2));
        expect(stringWidth(before) + (align === 'left' ? 0 : stringWidth(text))).toBe(second);
      }
    }),
  );
});

test('the widest is cut first, what must not be cut is not, and what does not fit is below', () => {
  const table: Table = {
    columns: [{ name: 'id' }, { name: 'short', shrink: 'cut' }, { name: 'long', shrink: 'cut' }],
    rows: [[cell('0123456789'), cell('abcdefghij'), cell('中'.repeat(20))]],
    notes: ['what it all means'],
  };
  const linesOf = (width: number): string[] => terminal(table, { width, isColoured: false }).split('\n');
  expect(linesOf(64)[1]).toBe(`0123456789  abcdefghij  ${'中'.repeat(20)}`);
  expect(linesOf(42)[1]).toBe(`0123456789  abcdefghij  ${'中'.repeat(8)}…`);
  expect(linesOf(30)[1]).toBe('0123456789  abcdefg…  中中中…');
  expect(linesOf(29)).toEqual([
    'id          short',
    '0123456789  abcdefghij',
    '',
    'id          long',
    `0123456789  ${'中'.repeat(8)}…`,
    '',
    'what it all means',
    '',
  ]);
  expect(linesOf(12).slice(-3)).toEqual(['what it all', '  means', '']);
});

test('figures are not cut: numbers as text, dates, intervals', () => {
  const figures = ['123456789012', '2026-11-23', '0.950 [0.925, 0.975]', '(120/4000)'];
  const table: Table = {
    columns: figures.map((name) => ({ name: `heading of ${name}`, shrink: 'cut' })),
    rows: [figures.map((text) => cell(text))],
  };
  for (const width of [70, 50, 20, 1]) {
    const text = terminal(table, { width, isColoured: false }).replaceAll(/^.*heading.*$/gm, '');
    for (const figure of figures) expect(text).toContain(figure);
  }
});

test('numbers are on the right, with those that are not finite', () => {
  const table: Table = {
    columns: [{ name: 'loss' }, { name: 'x' }],
    rows: [
      [cell(0.5), cell('a')],
      [cell('-Infinity'), cell(1)],
      [cell(null), cell('b')],
    ],
  };
  expect(terminal(table, PLAIN)).toBe('     loss  x\n      0.5  a\n-Infinity  1\n        -  b\n');
});
