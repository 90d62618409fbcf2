// A leaderboard as a table: for people one cell in each cell, for programs one record a cell.
import type { LeaderboardCell } from '../query/leaderboard-cells.ts';
import type { Leaderboard } from '../query/leaderboard.ts';
import type { BoardDisplay } from './leaderboard-display.ts';
import { cell, missing, type Cell, type Table } from './format/table.ts';
import { labelText } from './leaderboard-labels.ts';
import { DAGGER, isWorse, legend, STAR, warnings } from './leaderboard-notes.ts';

/** For people: `0.953 ± 0.012 (5/5)`, below it what that means. */
export function boardTable(board: Leaderboard, display: BoardDisplay): Table {
  return {
    columns: [
      { name: 'row', label: board.fields.rows, align: 'left', shrink: 'cut' },
      // never two the same, as labels may be
      ...board.columns.map((label, index) => ({
        name: `column ${index}`,
        label: labelText(label),
        align: 'left' as const,
        shrink: 'cut' as const,
      })),
    ],
    rows: board.rows.map((label, row) => [
      cell(labelText(label)),
      ...board.columns.map((_, column) => boardCell(board.cells[row]?.[column] ?? null, display)),
    ]),
    notes: [...legend(board, display), ...warnings(board)],
  };
}

function boardCell(given: LeaderboardCell | null, display: BoardDisplay): Cell {
  if (given === null) return missing();
  const marks = [
    ...(display.isMarked && given.rank === 'best' ? [STAR] : []),
    ...(isWorse(given) ? [DAGGER] : []),
  ];
  const isCounted = display.hasCounts || given.n < given.seen;
  const counts = isCounted ? `(${given.n}/${given.seen})` : '';
  const text = [valueText(given, display), counts, ...marks];
  return cell(given.mean, text.filter((part) => part !== '').join(' '), given.rank ?? undefined);
}

function valueText({ mean, std, ci95 }: LeaderboardCell, { spread, digits, scale }: BoardDisplay): string {
  if (mean === null) return '';
  const text = (value: number): string => fixed(value * scale, digits);
  if (spread === 'std' && std !== null) return `${text(mean)} ± ${text(std)}`;
  if (spread === 'ci' && ci95 !== null) return `${text(mean)} [${text(ci95[0])}, ${text(ci95[1])}]`;
  return text(mean);
}

/** What rounds to nothing has no sign. */
function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

const RECORD = [
  'row',
  'column',
  'n',
  'seen',
  'diverged',
  'mean',
  'std',
  'ci_low',
  'ci_high',
  'min',
  'max',
  'rank',
  'p',
  'pairs',
] as const;

/** For programs: one record a cell, row by row, numbers as they are. A cell without runs has `seen` 0. */
export function boardRecords(board: Leaderboard): Table {
  return {
    columns: RECORD.map((name) => ({ name })),
    rows: board.rows.flatMap((row, index) =>
      board.columns.map((column, position) => {
        const given = board.cells[index]?.[position];
        const values = [
          given?.n ?? 0,
          given?.seen ?? 0,
          given === null || given === undefined ? 0 : given.diverged.withValue + given.diverged.withoutValue,
          given?.mean,
          given?.std,
          given?.ci95?.[0],
          given?.ci95?.[1],
          given?.min,
          given?.max,
          given?.rank,
          given?.pairedTest?.p,
          given?.pairedTest?.pairs,
        ];
        return [cell(row), cell(column), ...values.map((value) => cell(value ?? null))];
      }),
    ),
  };
}
