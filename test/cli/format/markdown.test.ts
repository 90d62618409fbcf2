// Markdown: one table of plain text, whatever the cells say.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { markdown } from '../../../src/cli/format/markdown.ts';
import { escapeMarkdown, escapeMarkdownLine } from '../../../src/cli/format/markdown-text.ts';
import { cell } from '../../../src/cli/format/table.ts';
import { printSafe } from '../../../src/cli/print-safe.ts';
import { ACTS, anyText, HOSTILE_TEXTS, tables, withoutJoined } from './hostile-tables.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };

/** What a reader sees; whatever would not be text throws. */
function read(escaped: string): string {
  let text = '';
  const token = /<!-- -->|\\([!-/:-@[-`{-~])|(&lt;|&gt;|&amp;)|([^\\`*_[\]{}|~$^#<>&])/uy;
  while (token.lastIndex < escaped.length) {
    const at = token.lastIndex;
    const match = token.exec(escaped);
    if (match === null) throw new Error(`markup at ${at}: ${escaped}`);
    const [, punctuation, entity, plain] = match;
    text += punctuation ?? (entity === undefined ? (plain ?? '') : ENTITIES[entity]);
  }
  return text;
}

/** What becomes a link is looked for in the text between elements, after the escapes were read. */
function textNodes(escaped: string): string[] {
  return escaped.split('<!-- -->').map(read);
}

test('any text is read as it was, without markup, links and what acts on a terminal', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.webUrl(), fc.emailAddress()), (text) => {
      const escaped = escapeMarkdown(text);
      expect(read(escaped)).toBe(printSafe(text));
      expect(withoutJoined(escaped)).not.toMatch(ACTS);
      for (const node of textNodes(escaped)) expect(node).not.toMatch(/:\/\/|www\.|@.|#\d/i);
    }),
    { numRuns: 2000 },
  );
});

test('every line of the table has one cell more than unescaped pipes', () => {
  fc.assert(
    fc.property(tables(), (table) => {
      const [text = '', ...notes] = markdown(table).trimEnd().split('\n\n');
      const lines = text.split('\n');
      expect(lines).toHaveLength(table.rows.length + 2);
      for (const line of lines) {
        expect(line.replaceAll(/\\[\\|]/g, '').match(/\|/g)).toHaveLength(table.columns.length + 1);
        expect(line).toMatch(/^\|.*\|$/u);
      }
      expect(notes.length).toBeLessThanOrEqual(table.notes?.length ?? 0);
    }),
    { numRuns: 1000 },
  );
});

test('emphasis does not depend on what is emphasised', () => {
  for (const text of HOSTILE_TEXTS.filter((given) => given.trim() !== '')) {
    const lineOf = (emphasis: 'best' | 'second'): string | undefined =>
      markdown({ columns: [{ name: 'x' }], rows: [[cell(` ${text} `, undefined, emphasis)]] }).split('\n')[2];
    expect(lineOf('best')).toMatch(/^\| \*\*\S(?:.*\S)?\*\* +\|$/u);
    expect(lineOf('second')).toMatch(/^\| <u>\S(?:.*\S)?<\/u> +\|$/u);
  }
});

test('a note is a paragraph, whatever it begins with', () => {
  const starts = [
    '# a',
    '- a',
    '+ a',
    '* a',
    '> a',
    '1. a',
    '23) a',
    '    a',
    '```',
    '~~~',
    '===',
    '---',
    '| a |',
    '[a]: b',
  ];
  for (const text of starts) {
    const line = escapeMarkdownLine(text);
    expect(line).not.toMatch(/^(?:[#>\-+*=`~|[\s]|\d+[.)])/);
    expect(read(line)).toBe(text.trim());
  }
});
