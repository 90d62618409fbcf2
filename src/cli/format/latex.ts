// A table of LaTeX, for \input into a paper. It compiles with pdflatex, and so with all the others.
import { printSafe } from '../print-safe.ts';
import { escapeLatex } from './latex-text.ts';
import { alignments, labelOf, textOf, type Cell, type Table } from './table.ts';

const MISSING = '--';

/** A tabular, after comments that say what made it and what it needs; each note is a comment below it. */
export function latex(table: Table, command: string | undefined): string {
  const sides = alignments(table).map((side) => (side === 'right' ? 'r' : 'l'));
  const heading = table.columns.map((column) => escapeLatex(labelOf(column)));
  const rows = table.rows.map((row) => table.columns.map((_, index) => cellText(row[index])));
  return [
    ...(command === undefined ? [] : [comment(`made by: ${command}`)]),
    comment(String.raw`needs \usepackage{booktabs}`),
    String.raw`\begin{tabular}{${sides.join('')}}`,
    String.raw`\toprule`,
    line(heading),
    String.raw`\midrule`,
    ...rows.map(line),
    String.raw`\bottomrule`,
    String.raw`\end{tabular}`,
    ...(table.notes ?? []).map(comment),
  ]
    .join('\n')
    .concat('\n');
}

function line(cells: readonly string[]): string {
  return String.raw`${cells.join(' & ')} \\`;
}

/** TeX reads nothing in a comment, not even `^^M`, up to the end of the line; of those, none is left. */
function comment(text: string): string {
  return `% ${printSafe(text)}`;
}

function cellText(cell: Cell | undefined): string {
  const text = cell === undefined ? undefined : textOf(cell);
  if (cell === undefined || text === undefined) return MISSING;
  const escaped = escapeLatex(text);
  if (cell.emphasis === 'best') return String.raw`\textbf{${escaped}}`;
  return cell.emphasis === 'second' ? String.raw`\underline{${escaped}}` : escaped;
}
