// A table of GitHub's Markdown.
import { markdownTable } from 'markdown-table';
import stringWidth from 'string-width';
import { escapeMarkdown, escapeMarkdownLine } from './markdown-text.ts';
import { alignments, labelOf, textOf, type Cell, type Table } from './table.ts';

const MISSING = '-';

/** The table, and each note as a paragraph below it. */
export function markdown(table: Table): string {
  const heading = table.columns.map((column) => escapeMarkdown(labelOf(column)));
  const rows = table.rows.map((row) => table.columns.map((_, index) => cellText(row[index])));
  const text = markdownTable([heading, ...rows], {
    align: alignments(table).map((side) => (side === 'right' ? 'r' : 'l')),
    stringLength: stringWidth,
  });
  return [text, ...(table.notes ?? []).map(escapeMarkdownLine)].join('\n\n').concat('\n');
}

function cellText(cell: Cell | undefined): string {
  const text = cell === undefined ? undefined : textOf(cell);
  if (cell === undefined || text === undefined) return MISSING;
  // asterisks with a space or nothing between them would be asterisks
  const escaped = escapeMarkdown(text).trim();
  if (escaped === '') return '';
  if (cell.emphasis === 'best') return `**${escaped}**`;
  return cell.emphasis === 'second' ? `<u>${escaped}</u>` : escaped;
}
