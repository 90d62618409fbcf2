// The law, proven on a user's own data: a rebuild beside the live database, then a comparison row by row.
import { setImmediate } from 'node:timers/promises';
import type { Statement } from 'better-sqlite3';
import { openForBuilding, openReadOnly, type Db } from '../db/open.ts';
import { PRIMARY_KEYS, PUBLIC_TABLES, type PublicTable } from '../db/schema.ts';
import { removeDatabase, verifyPath } from '../db/swap.ts';
import { rowsOf, type TableRow } from './dump.ts';
import { replay, type Loss, type ReplayOptions } from './replay.ts';
import { compareUtf8 } from './utf8-order.ts';

export interface Difference {
  table: PublicTable;
  /** The primary key. */
  key: TableRow;
  /** Undefined where the row is not in that database. */
  live: TableRow | undefined;
  rebuilt: TableRow | undefined;
}

export interface VerifyReport {
  /** Rows compared, by table. */
  compared: Record<PublicTable, number>;
  /** The first of them, at most MAX_SHOWN. */
  differences: Difference[];
  differenceCount: number;
  /** Files whose writers and runs were left out: they are no longer what was read. */
  leftOut: Loss[];
}

/** `onCompare` is told how many rows were compared, and of how many at least. */
export interface VerifyOptions extends ReplayOptions {
  onCompare?: (rows: number, total: number) => void;
}

const MAX_SHOWN = 20;
/** So often the comparison lets others have their turn: signals, and whoever shows how far it is. */
const YIELD_ROWS = 10_000;

/**
 * Reads the ledger again up to the offsets that `file` has recorded, into a database beside it, and compares.
 * Works beside a running projector: the live side is one read transaction.
 */
export async function verify(file: string, options: VerifyOptions): Promise<VerifyReport> {
  const built = verifyPath(file, process.pid);
  const live = openReadOnly(file);
  let rebuilt: Db | undefined;
  try {
    rebuilt = openForBuilding(built);
    live.exec('BEGIN');
    const { losses } = await replay(live, rebuilt, options);
    options.signal?.throwIfAborted();
    return await compare(live, rebuilt, losses, options);
  } finally {
    live.close();
    rebuilt?.close();
    removeDatabase(built);
  }
}

async function compare(
  live: Db,
  rebuilt: Db,
  leftOut: readonly Loss[],
  { onCompare, signal }: VerifyOptions,
): Promise<VerifyReport> {
  const isLeftOut = exclusions([live, rebuilt], leftOut);
  const report: VerifyReport = {
    compared: Object.fromEntries(PUBLIC_TABLES.map((table) => [table, 0])) as Record<PublicTable, number>,
    differences: [],
    differenceCount: 0,
    leftOut: [...leftOut],
  };
  const total = PUBLIC_TABLES.reduce((sum, table) => sum + rowsIn(live, table), 0);
  let rows = 0;
  for (const table of PUBLIC_TABLES) {
    for (const { key, left, right } of pairs(table, rowsOf(live, table), rowsOf(rebuilt, table))) {
      if (rows % YIELD_ROWS === 0) {
        onCompare?.(rows, total);
        await setImmediate();
        signal?.throwIfAborted();
      }
      rows += 1;
      const row = left ?? right;
      if (row === undefined || isLeftOut(table, row)) continue;
      report.compared[table] += 1;
      if (isEqual(table, left, right)) continue;
      report.differenceCount += 1;
      if (report.differences.length < MAX_SHOWN) {
        report.differences.push({ table, key, live: left, rebuilt: right });
      }
    }
  }
  return report;
}

function rowsIn(db: Db, table: PublicTable): number {
  return Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
}

/** A file that was changed may be about other runs now than those that were read from it. */
function exclusions(
  dbs: readonly Db[],
  leftOut: readonly Loss[],
): (table: PublicTable, row: TableRow) => boolean {
  const writers = new Set(leftOut.flatMap(({ writer }) => (writer === null ? [] : [writer])));
  const files = new Set(leftOut.map(({ path }) => path));
  const runs = new Set<unknown>();
  for (const select of dbs.flatMap(selectRuns)) {
    for (const writer of writers) for (const run of select.all(writer)) runs.add(run);
  }
  return (table, row) => {
    if (table === '_rejected') return files.has(String(row['file']));
    if (table === 'run_metrics' || table === 'run_errors') return writers.has(String(row['writer']));
    return runs.has(row['run_id']);
  };
}

function selectRuns(db: Db): Statement<[string]>[] {
  const select = (table: string): Statement<[string]> =>
    db.prepare<[string]>(`SELECT DISTINCT run_id FROM ${table} WHERE writer = ?`).pluck();
  return [select('_events'), select('_series')];
}

interface Pair {
  key: TableRow;
  left: TableRow | undefined;
  right: TableRow | undefined;
}

/** Both sides are in the order of the key: rows with the same key come together. */
function* pairs(
  table: PublicTable,
  lefts: Generator<TableRow>,
  rights: Generator<TableRow>,
): Generator<Pair> {
  try {
    let left = next(lefts);
    let right = next(rights);
    while (left !== undefined || right !== undefined) {
      const order = left === undefined ? 1 : right === undefined ? -1 : compareKeys(table, left, right);
      yield {
        key: keyOf(table, (order <= 0 ? left : right) ?? {}),
        left: order <= 0 ? left : undefined,
        right: order >= 0 ? right : undefined,
      };
      if (order <= 0) left = next(lefts);
      if (order >= 0) right = next(rights);
    }
  } finally {
    // a comparison may be cut off, and a database that is still being read cannot be closed
    lefts.return(undefined);
    rights.return(undefined);
  }
}

function next(rows: Iterator<TableRow>): TableRow | undefined {
  const { done, value } = rows.next();
  return done === true ? undefined : value;
}

function keyOf(table: PublicTable, row: TableRow): TableRow {
  return Object.fromEntries(PRIMARY_KEYS[table].map((column) => [column, row[column] ?? null]));
}

function compareKeys(table: PublicTable, a: TableRow, b: TableRow): number {
  for (const column of PRIMARY_KEYS[table]) {
    const left = a[column];
    const right = b[column];
    const order =
      typeof left === 'number' && typeof right === 'number'
        ? left - right
        : compareUtf8(String(left), String(right));
    if (order !== 0) return order;
  }
  return 0;
}

function isEqual(table: PublicTable, a: TableRow | undefined, b: TableRow | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  // the wording of a rejection is the release's that read the line
  const columns = Object.keys(a).filter((column) => table !== '_rejected' || column !== 'message');
  return columns.every((column) => Object.is(a[column], b[column]));
}
