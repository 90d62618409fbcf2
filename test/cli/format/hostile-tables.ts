// Tables as those who mean harm would fill them, and as nobody would think of.
import fc from 'fast-check';
import type { Cell, Table } from '../../../src/cli/format/table.ts';

/** Each is trouble for at least one format. */
export const HOSTILE_TEXTS: readonly string[] = [
  '\u001b[2J\u001b]0;owned\u0007',
  '\u202egnp.exe\u2066\u2069',
  'two\nlines',
  'a\ttab',
  "=cmd|' /C calc'!A0",
  '  =1+1',
  '\t=1',
  '\r\n@SUM(A1)',
  '＝1＋1',
  '\u2212 minus',
  String.raw`\input{/etc/passwd}`,
  String.raw`\|`,
  '|',
  '```sh',
  '<script>alert(1)</script>',
  '</u>&lt;!-- -->',
  '[a](https://evil.example)',
  'www.evil.example and me@evil.example #12',
  '100 % of $x$ in #1, a~b, a^b, a_b & c',
  '[1pt]',
  '*',
  '--flag',
  '损失 ünïcödé ß ŝ',
  '🫠👍🏽',
  'नमस्ते',
  'lone \ud83d',
  '',
  'x'.repeat(300),
];

/** What may act on a terminal; in a text without line feeds and tabs, or where these are allowed. */
export const ACTS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** An emoji as one character, joiners and all; or a joiner between letters that are not Latin. */
const JOINED = new RegExp(
  String.raw`\p{RGI_Emoji}|(?<=[[\p{L}\p{M}]--\p{scx=Latn}])[\u200C\u200D](?=[[\p{L}\p{M}]--\p{scx=Latn}])`,
  'gv',
);

/** For a search for what acts: joiners do not where they are spelling. */
export function withoutJoined(text: string): string {
  return text.replaceAll(JOINED, '');
}

const EVIL = [
  ...HOSTILE_TEXTS,
  ...Array.from('\\{}$%&#_^~|*`<>[]()"\'=+-@;,\r\n\t\0\u0085\u2028\u202e\ufeff −±éi̇中😀^^M'),
];

export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...EVIL), { maxLength: 6 }).map((parts) => parts.join('')),
);

const anyCell: fc.Arbitrary<Cell> = fc.record(
  {
    value: fc.oneof(
      anyText,
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(anyText, { maxLength: 2 }),
      fc.dictionary(anyText, fc.oneof(anyText, fc.double()), { maxKeys: 2 }),
    ),
    text: anyText,
    emphasis: fc.constantFrom('best', 'second', 'good', 'bad', 'warn', 'dim'),
  },
  { requiredKeys: ['value'] },
);

/** Tables of cells; every column may be cut. */
export function tables(
  cell: fc.Arbitrary<Cell> = anyCell,
  name: fc.Arbitrary<string> = anyText,
): fc.Arbitrary<Table> {
  return fc.uniqueArray(name, { minLength: 1, maxLength: 4 }).chain((names) =>
    fc.record(
      {
        columns: fc.tuple(
          ...names.map((given) =>
            fc.record(
              {
                name: fc.constant(given),
                shrink: fc.constant('cut'),
                align: fc.constantFrom('left', 'right'),
              },
              { requiredKeys: ['name', 'shrink'] },
            ),
          ),
        ),
        rows: fc.array(fc.tuple(...names.map(() => cell)), { maxLength: 5 }),
        notes: fc.array(anyText, { maxLength: 2 }),
      },
      { requiredKeys: ['columns', 'rows'] },
    ),
  );
}
