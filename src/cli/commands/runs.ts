// runfold runs: which there are, how they are, and what came of them.
import type { Db } from '../../db/open.ts';
import { getActiveRuns } from '../../query/active-runs.ts';
import { runsWithChangedConfig } from '../../query/changed-config.ts';
import { COLUMNS } from '../../query/field.ts';
import type { RunQuery } from '../../query/run-filter.ts';
import { countRuns, selectRuns } from '../../query/runs.ts';
import { activeTable } from '../active-table.ts';
import { formatOf, type FormatFlags } from '../format/options.ts';
import { print } from '../format/print.ts';
import type { Format, Table } from '../format/table.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import {
  filterOf,
  pagingOf,
  reading,
  type FilterFlags,
  type PagingFlags,
  type ReadingFlags,
} from '../reading.ts';
import { plainWords } from '../plain-words.ts';
import { selectedTable, USUAL_FIELDS, usualTable } from '../run-table.ts';
import { sayIfNone, sayUnknownNames } from '../unknown-names.ts';

export interface RunsFlags extends ReadingFlags, FilterFlags, PagingFlags, FormatFlags {
  select?: string[];
  active?: boolean;
}

/** What fits a screen or two; programs get all. */
const SHOWN_RUNS = 50;

export function runs(flags: RunsFlags, io: CliIo): Promise<ExitCode> {
  const format = formatOf(flags);
  return reading(flags, io, (db) => {
    if (flags.active === true) return active(db, flags, format, io);
    const query = { ...filterOf(flags), ...pagingOf(flags, format === 'table' ? SHOWN_RUNS : undefined) };
    const sorted = (query.sort ?? []).map((field) => field.replace(/^-/, ''));
    sayUnknownNames(db, filterOf(flags), [...sorted, ...(flags.select ?? [])], io);
    const table = runTable(db, query, flags.select, format, io);
    print(table, { format }, io);
    explain(db, query, table, io);
    return 0;
  });
}

function runTable(
  db: Db,
  query: RunQuery,
  select: readonly string[] | undefined,
  format: Format,
  io: CliIo,
): Table {
  const isForPeople = format === 'table' || format === 'markdown' || format === 'latex';
  if (select === undefined && isForPeople) {
    const rows = selectRuns(db, USUAL_FIELDS, query);
    return usualTable(
      rows.map((row) => plainWords(db, row)),
      io.clock.now(),
    );
  }
  const fields = select ?? COLUMNS;
  return selectedTable(fields, selectRuns(db, fields, query));
}

/** What the table does not say by itself. */
function explain(db: Db, query: RunQuery, table: Table, io: CliIo): void {
  const { sort: _, limit, offset = 0, ...filter } = query;
  const shown = table.rows.length;
  if (shown === 0 || (limit !== undefined && shown >= limit)) {
    const all = countRuns(db, filter);
    if (!sayIfNone(db, filter, io)) return;
    if (shown < all - offset) {
      say(io.stderr, `${shown} of ${count(all, 'run')}; --limit 0 shows all`);
    }
  }
  const column = table.columns.findIndex(({ name }) => name === 'run_id');
  const ids = table.rows.map((row) => row[column]?.value).filter((id) => typeof id === 'string');
  for (const id of runsWithChangedConfig(db, ids)) {
    say(
      io.stderr,
      `run ${id} was started over with another config: a sweep may be hiding in one key (see: runfold doctor)`,
    );
  }
}

function active(db: Db, flags: RunsFlags, format: Format, io: CliIo): ExitCode {
  const filter = filterOf(flags);
  sayUnknownNames(db, filter, [], io);
  const table = activeTable(getActiveRuns(db, filter), io.clock.now());
  print(table, { format }, io);
  if (table.rows.length === 0 && sayIfNone(db, filter, io)) say(io.stderr, 'nothing is pending or running');
  return 0;
}
