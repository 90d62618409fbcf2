// A sweep as a table: for people counts in each cell, for programs one record a cell; and its cells as a list.
import { grouped } from '../grouped.ts';
import { RunfoldError } from '../errors.ts';
import { formatArrayList } from '../grid/array-list.ts';
import { FIELDS } from '../grid/key-columns.ts';
import {
  CELL_STATES,
  KEY_FIELDS,
  tally,
  type Cell as GridCell,
  type CellState,
  type Tally,
} from '../grid/progress.ts';
import { shown } from '../query/arguments.ts';
import { compareLabels, labelKey, type Label } from '../query/label.ts';
import { cell, missing, type Cell, type Emphasis, type Table } from './format/table.ts';
import { count, thousands } from './human.ts';
import { labelText } from './leaderboard-labels.ts';
import { SHORT_ID } from './run-table.ts';

/** What a cell has in a field of its key, or in a column of the grid. */
export type LabelOf = (cell: GridCell) => Label;

/** @throws RunfoldError `usage` if there is no such field or column */
export function labelReader(field: string, values: ReadonlyMap<number, ReadonlyMap<string, Label>>): LabelOf {
  const key = FIELDS.get(field);
  if (key !== undefined) return (each) => each.key[key];
  const name = field.replace(/^config\./, '');
  const columns = [...(values.values().next().value?.keys() ?? [])];
  if (columns.includes(name)) {
    return (each) => (each.row === null ? null : (values.get(each.row)?.get(name) ?? null));
  }
  throw new RunfoldError('usage', `a grid has no ${shown(field)}`, {
    hint: `There are: ${[...new Set([...FIELDS.keys(), ...columns])].join(', ')}.`,
  });
}

export interface BoardFields {
  rows: { name: string; of: LabelOf };
  columns: { name: string; of: LabelOf };
  /** By their size and name; else in the order of the file. */
  isSorted: boolean;
}

interface Board {
  rows: Label[];
  columns: Label[];
  cells: ReadonlyMap<string, readonly GridCell[]>;
}

function boardOf(cells: readonly GridCell[], { rows, columns, isSorted }: BoardFields): Board {
  const [rowLabels, columnLabels] = [new Map<string, Label>(), new Map<string, Label>()];
  for (const each of cells) {
    const [row, column] = [rows.of(each), columns.of(each)];
    rowLabels.set(labelKey(row), row);
    columnLabels.set(labelKey(column), column);
  }
  const groups = grouped(cells, (each) => placeOf(rows.of(each), columns.of(each)));
  const inOrder = (labels: ReadonlyMap<string, Label>): Label[] =>
    isSorted ? [...labels.values()].toSorted(compareLabels) : [...labels.values()];
  return { rows: inOrder(rowLabels), columns: inOrder(columnLabels), cells: groups };
}

function placeOf(row: Label, column: Label): string {
  return `${labelKey(row)} ${labelKey(column)}`;
}

/** `4/5 1 failed` in each cell; below it the sum, and what the caller adds. */
export function gridTable(cells: readonly GridCell[], fields: BoardFields, notes: readonly string[]): Table {
  const board = boardOf(cells, fields);
  return {
    columns: [
      { name: 'row', label: fields.rows.name, align: 'left', shrink: 'cut' },
      // never two the same, as labels may be
      ...board.columns.map((label, index) => ({
        name: `column ${index}`,
        label: labelText(label),
        align: 'left' as const,
        shrink: 'cut' as const,
      })),
    ],
    rows: board.rows.map((row) => [
      cell(labelText(row)),
      ...board.columns.map((column) => countsCell(board.cells.get(placeOf(row, column)))),
    ]),
    notes: [totalText(tally(cells)), ...notes],
  };
}

function countsCell(group: readonly GridCell[] | undefined): Cell {
  if (group === undefined) return missing();
  const counts = tally(group);
  const { completed } = counts;
  return cell(
    completed,
    [`${completed}/${group.length}`, ...others(counts)].join(' '),
    emphasisOf(counts, group.length),
  );
}

function emphasisOf({ completed, failed, timeout }: Tally, all: number): Emphasis | undefined {
  if (completed === all) return 'good';
  if (failed > 0) return 'bad';
  return timeout > 0 ? 'warn' : undefined;
}

/** `2 failed` for each state but the first. */
function others(counts: Tally): string[] {
  return CELL_STATES.filter((state) => state !== 'completed' && counts[state] > 0).map(
    (state) => `${thousands(counts[state])} ${state}`,
  );
}

function totalText(counts: Tally): string {
  const all = CELL_STATES.reduce((sum, state) => sum + counts[state], 0);
  return [`total: ${thousands(counts.completed)} of ${count(all, 'run')} completed`, ...others(counts)].join(
    ', ',
  );
}

/** One record for each row and column that has a cell: how many of its runs are in which state. */
export function gridRecords(cells: readonly GridCell[], fields: BoardFields): Table {
  const board = boardOf(cells, fields);
  return {
    columns: ['row', 'column', 'expected', ...CELL_STATES].map((name) => ({ name })),
    rows: board.rows.flatMap((row) =>
      board.columns.flatMap((column) => {
        const group = board.cells.get(placeOf(row, column));
        if (group === undefined) return [];
        const counts = tally(group);
        return [
          [cell(row), cell(column), cell(group.length), ...CELL_STATES.map((state) => cell(counts[state]))],
        ];
      }),
    ),
  };
}

const STATE_EMPHASES: Readonly<Record<CellState, Emphasis | undefined>> = {
  completed: 'good',
  running: undefined,
  pending: 'dim',
  timeout: 'warn',
  failed: 'bad',
  missing: undefined,
};
const LIST_LABELS: Readonly<Record<string, string>> = {
  run_id: 'run',
  experiment_number: 'exp',
  cl_info: 'variant',
};

/** The cells one by one. For people without columns that say nothing here. */
export function listTable(cells: readonly GridCell[], isForPeople: boolean): Table {
  const columns: [name: string, cells: Cell[]][] = [
    ['row', cells.map((each) => cell(each.row))],
    ...KEY_FIELDS.map((field): [string, Cell[]] => [field, cells.map((each) => cell(each.key[field]))]),
    ['status', cells.map(({ state }) => cell(state, state, STATE_EMPHASES[state]))],
    ['reason', cells.map((each) => cell(each.reason))],
    ['run_id', cells.map((each) => cell(each.runId, each.runId.slice(0, SHORT_ID)))],
  ];
  const kept = isForPeople ? columns.filter(([, all]) => all.some(({ value }) => value !== null)) : columns;
  return {
    columns: kept.map(([name]) => ({
      name,
      ...(LIST_LABELS[name] !== undefined && { label: LIST_LABELS[name] }),
      ...((name === 'cl_info' || name === 'reason' || name === 'subject') && { shrink: 'cut' as const }),
    })),
    rows: cells.map((_, index) => kept.map(([, all]) => all[index] ?? missing())),
  };
}

/** What fits a line of a terminal; a longer list is what `--array` is for. */
const SHOWN_LIST = 60;

export interface Resubmission {
  states: readonly CellState[];
  /** That prints the list. */
  arrayCommand: string;
  /** That submits the rows, given `--array` or not. */
  submitCommand: string;
  /** Whether `grid submit` would choose other rows of its own. */
  isListNeeded: boolean;
}

/**
 * `missing 4, failed 2: --array=3,7,10-12`, and the line that submits them; empty if nothing is to be run again. Not a
 * line of sbatch itself: from that the tasks would not know of the grid.
 */
export function resubmissionNotes(
  cells: readonly GridCell[],
  { states, arrayCommand, submitCommand, isListNeeded }: Resubmission,
): string[] {
  const counts = tally(cells);
  const what = states
    .filter((state) => counts[state] > 0)
    .map((state) => `${state} ${thousands(counts[state])}`);
  if (what.length === 0) return [];
  const list = arrayListOf(cells, states);
  if (list === '') return [what.join(', ')];
  const array = list.length <= SHOWN_LIST ? `--array=${list}` : `--array="$(${arrayCommand})"`;
  return [
    `${what.join(', ')}: ${array}`,
    `to submit them: ${submitCommand}${isListNeeded ? ` ${array}` : ''}`,
  ];
}

/** Of the rows in these states. */
export function arrayListOf(cells: readonly GridCell[], states: readonly CellState[]): string {
  return formatArrayList(
    cells.flatMap(({ row, state }) => (row !== null && states.includes(state) ? [row] : [])),
  );
}
