// LaTeX: nothing but text between the commands that are ours.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latex } from '../../../src/cli/format/latex.ts';
import { escapeLatex } from '../../../src/cli/format/latex-text.ts';
import { cell, missing } from '../../../src/cli/format/table.ts';
import { commandLine } from '../../../src/cli/shell-quote.ts';
import { ACTS, anyText, tables } from './hostile-tables.ts';

const SPECIAL = String.raw`\\{}$&#%_^~`;
const ATOMS = [
  // a character that is itself in every font, and one that is escaped; nothing that reads an argument
  String.raw`[^${SPECIAL}\[\]*"<>|\u0000-\u001f\u007f-\u{10ffff}]`,
  String.raw`\\[{}$&#%_]`,
  String.raw`\\text(?:backslash|asciicircum|asciitilde|less|greater|bar|bullet)\{\}`,
  String.raw`\\(?:ldots|S|ss|ae|AE|oe|OE|o|O|l|L|i|char34)\{\}`,
  String.raw`\{[[\]*]\}`,
  String.raw`-\{\}`,
  String.raw`\{\\[^A-Za-z{}\\]\{(?:[A-Za-z]|\\[ij])\}\}`,
  String.raw`\{\\[A-Za-z]\{(?:[A-Za-z]|\\[ij])\}\}`,
  String.raw`\$(?:\\[A-Za-z]+|-|\^\\circ|\^[123])\$`,
  '~',
].join('|');
const TEXT = `(?:${ATOMS})*`;
const CELL = String.raw`(?:${TEXT}|\\textbf\{${TEXT}\}|\\underline\{${TEXT}\})`;

/** Characters that TeX takes for the beginning or end of a group, less those that are escaped. */
function depths(text: string): number[] {
  let depth = 0;
  return Array.from(text.replaceAll(/\\[\\{}]/g, ''), (character) => {
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    return depth;
  });
}

test('any text is ASCII without commands of its own, and its braces balance', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const escaped = escapeLatex(text);
      expect(escaped).toMatch(new RegExp(`^${TEXT}$`, 'u'));
      const inside = depths(escaped);
      expect(inside.at(-1) ?? 0).toBe(0);
      expect(Math.min(0, ...inside)).toBe(0);
    }),
    { numRuns: 3000 },
  );
});

test('a document has comments, the commands of a tabular, and cells', () => {
  fc.assert(
    fc.property(tables(), fc.array(anyText), (table, args) => {
      const text = latex(table, commandLine(args));
      expect(text.replaceAll('\n', '')).not.toMatch(ACTS);
      const lines = text.trimEnd().split('\n');
      const notes = table.notes ?? [];
      expect(lines).toHaveLength(2 + 6 + table.rows.length + notes.length);
      const comments = [...lines.slice(0, 2), ...lines.slice(lines.length - notes.length)];
      for (const comment of comments) expect(comment.startsWith('%')).toBe(true);
      const [begin, top, heading, middle, ...rest] = lines.slice(2, lines.length - notes.length);
      expect(begin).toMatch(/^\\begin\{tabular\}\{[lr]+\}$/);
      expect([top, middle, ...rest.splice(-2)]).toEqual([
        '\\toprule',
        '\\midrule',
        '\\bottomrule',
        '\\end{tabular}',
      ]);
      const row = new RegExp(String.raw`^${Array.from(table.columns, () => CELL).join(' & ')} \\\\$`, 'u');
      for (const line of [heading, ...rest]) expect(line).toMatch(row);
    }),
    { numRuns: 500 },
  );
});

test.each([
  [String.raw`\input{/etc/passwd}`, String.raw`\textbackslash{}input\{/etc/passwd\}`],
  [
    '100 % of $x$ #1 a~b^c_d & {e}',
    String.raw`100 \% of \$x\$ \#1 a\textasciitilde{}b\textasciicircum{}c\_d \& \{e\}`,
  ],
  ['0.93 ± 0.01', String.raw`0.93 $\pm$ 0.01`],
  ['-1.5', '$-$1.5'],
  ['\u22121.5', '$-$1.5'],
  ['1e-05', '1e-05'],
  ['--flag', '-{}-{}flag'],
  ['[1pt] *', '{[}1pt{]} {*}'],
  ['Müller, naïve, Čapek, façade', String.raw`M{\"{u}}ller, na{\"{\i}}ve, {\v{C}}apek, fa{\c{c}}ade`],
  ['e\u0301', String.raw`{\'{e}}`],
  ['α → ∞', String.raw`$\alpha$ $\rightarrow$ $\infty$`],
  ['中', String.raw`\textbackslash{}u\{4e2d\}`],
  ['a\nb\u202e', String.raw`a\textbackslash{}nb\textbackslash{}u\{202e\}`],
])('%j is %s', (text, expected) => {
  expect(escapeLatex(text)).toBe(expected);
});

test('the command stays in its comment, and what is missing is a dash', () => {
  const text = latex(
    { columns: [{ name: 'a' }, { name: 'b', align: 'right' }], rows: [[cell(1, '1.0', 'best'), missing()]] },
    commandLine([
      'compare',
      '\n\\evil',
      '\r\\evil',
      '\u2028\\evil',
      '\u000b\u000c\u0085\\evil',
      '^^M\\evil',
      '^^J',
    ]),
  );
  expect(text).toBe(
    [
      String.raw`% made by: runfold compare '\n\evil' '\x0d\evil' '\u{2028}\evil' '\x0b\x0c\x85\evil' '^^M\evil' '^^J'`,
      String.raw`% needs \usepackage{booktabs}`,
      String.raw`\begin{tabular}{rr}`,
      String.raw`\toprule`,
      String.raw`a & b \\`,
      String.raw`\midrule`,
      String.raw`\textbf{1.0} & -- \\`,
      String.raw`\bottomrule`,
      String.raw`\end{tabular}`,
      '',
    ].join('\n'),
  );
});
