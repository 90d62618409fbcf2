// The cells of a sweep: of a grid file, or of what has been seen, with what came of each.
import type { Db } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import type { RunStatus } from '../events/event.ts';
import type { RunKey } from '../events/run-id.ts';
import type { Grid } from '../grid/grid.ts';
import {
  axesOf,
  cellsOf,
  KEY_FIELDS,
  productOf,
  sizeOf,
  type Cell,
  type Expected,
  type SeenRun,
} from '../grid/progress.ts';
import { MAX_ROWS } from '../grid/table.ts';
import { compareLabels } from '../query/label.ts';
import type { RunFilter } from '../query/run-filter.ts';
import { selectRuns } from '../query/runs.ts';
import { thousands } from './human.ts';

export interface Sweep {
  cells: readonly Cell[];
  /** Runs that are no cell, though they match the filter and are of an experiment of the grid. */
  outside: number;
}

type KeyFilter = Readonly<Pick<RunFilter, keyof RunKey>>;

const FIELDS = ['run_id', 'status', 'status_reason', ...KEY_FIELDS] as const;

/** The rows of a grid that match, whatever has become of their runs; hidden runs are done too. */
export function sweepOfGrid(db: Db, grid: Grid, filter: KeyFilter): Sweep {
  const expected = grid.rows.filter(({ key }) =>
    KEY_FIELDS.every((field) => isOneOf(key[field], filter[field])),
  );
  const experiments = new Set(expected.map(({ key }) => key.experiment_number));
  const runs = seenRuns(db, { ...filter, experiment_number: [...experiments], includeHidden: true });
  const all = new Set(grid.rows.map((row) => row.runId));
  const outside = [...runs].filter(([id, { isHidden }]) => !all.has(id) && !isHidden).length;
  return { cells: cellsOf(expected, runs), outside };
}

/**
 * Each value of the key that the matching runs have, with each. A cell that has a run is what the run is, whether that
 * run matches or not.
 *
 * @throws RunfoldError `usage` if that is more than anybody can have meant
 */
export function sweepOfSeen(db: Db, filter: RunFilter): Sweep {
  const keys = [...seenRuns(db, filter).values()].map(({ key }) => key);
  if (keys.length === 0) return { cells: [], outside: 0 };
  const axes = axesOf(keys, compareLabels);
  const size = sizeOf(axes);
  if (size > MAX_ROWS) {
    throw new RunfoldError('usage', `all values with all are ${thousands(size)} cells`, {
      hint: 'Say which runs are of the sweep: --exp, --dataset, --method, --tag …',
    });
  }
  const expected: Expected[] = productOf(axes);
  return { cells: cellsOf(expected, seenRuns(db, { includeHidden: true })), outside: 0 };
}

function isOneOf(value: RunKey[keyof RunKey], wanted: unknown): boolean {
  return wanted === undefined || (Array.isArray(wanted) ? wanted.includes(value) : wanted === value);
}

interface FoundRun extends SeenRun {
  key: RunKey;
  isHidden: boolean;
}

function seenRuns(db: Db, filter: RunFilter): Map<string, FoundRun> {
  const rows = selectRuns(db, [...FIELDS, 'hidden'], filter);
  return new Map(
    rows.map(([id, status, reason, ...rest]) => {
      const key = Object.fromEntries(KEY_FIELDS.map((field, index) => [field, rest[index]]));
      const run: FoundRun = {
        status: status as RunStatus,
        reason: reason as string | null,
        key: key as unknown as RunKey,
        isHidden: rest[KEY_FIELDS.length] === true,
      };
      return [String(id), run];
    }),
  );
}
