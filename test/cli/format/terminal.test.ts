// What stands in a terminal: aligned, within its width, and nothing of it acts.
import fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { cell, type Table } from '../../../src/cli/format/table.ts';
import { terminal } from '../../../src/cli/format/terminal.ts';
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

test('columns that may be cut fit any width that has room for their floors', () => {
  const FLOOR = 6;
  fc.assert(
    fc.property(
      tables(
        wide.map((text) => cell(text.repeat(3))),
        wide,
      ),
      fc.integer({ min: 40, max: 90 }),
      (table, width) => {
        expect(table.columns.length * (FLOOR + 2)).toBeLessThanOrEqual(width);
        const { notes: _, ...bare } = table;
        for (const line of terminal(bare, { width, isColoured: false }).split('\n'))
          expect(stringWidth(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});

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

test('the widest is cut first, what must not be cut is not, and what does not fit is wider', () => {
  const table: Table = {
    columns: [{ name: 'id' }, { name: 'short', shrink: 'cut' }, { name: 'long', shrink: 'cut' }],
    rows: [[cell('0123456789'), cell('abcdefgh'), cell('中'.repeat(20))]],
  };
  const lineOf = (width: number): string | undefined =>
    terminal(table, { width, isColoured: false }).split('\n')[1];
  expect(lineOf(62)).toBe(`0123456789  abcdefgh  ${'中'.repeat(20)}`);
  expect(lineOf(40)).toBe(`0123456789  abcdefgh  ${'中'.repeat(8)}…`);
  expect(lineOf(27)).toBe('0123456789  abcde…  中中…');
  expect(lineOf(5)).toBe('0123456789  abcde…  中中…');
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
