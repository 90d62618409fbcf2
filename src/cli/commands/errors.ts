// runfold errors: what went wrong, and where.
import type { Db } from '../../db/open.ts';
import { getErrorGroups } from '../../query/error-groups.ts';
import { getRunErrors, type RunError } from '../../query/run-errors.ts';
import { getRun } from '../../query/run.ts';
import { countRuns } from '../../query/runs.ts';
import { errorGroupTable, errorTable } from '../error-tables.ts';
import { formatOf, type FormatFlags } from '../format/options.ts';
import { print } from '../format/print.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { filterOf, reading, type FilterFlags, type ReadingFlags } from '../reading.ts';
import { sayIfNone, sayUnknownNames } from '../unknown-names.ts';

export interface ErrorsFlags extends ReadingFlags, FilterFlags, FormatFlags {
  by?: 'type' | 'place';
}

export function errors(run: string | undefined, flags: ErrorsFlags, io: CliIo): Promise<ExitCode> {
  return reading(flags, io, (db) => {
    if (run === undefined) return grouped(db, flags, io);
    const { run_id } = getRun(db, run);
    const found = getRunErrors(db, run_id);
    if (formatOf(flags) === 'table') for (const error of found) describe(error, io);
    else print(errorTable(found), flags, io);
    if (found.length === 0) say(io.stderr, `run ${run_id} has logged no error`);
    return 0;
  });
}

/** A traceback is for reading, not for a cell. */
function describe({ ts, exception_type, message, traceback }: RunError, io: CliIo): void {
  say(io.stdout, `${ts}  ${exception_type}: ${message}`);
  if (traceback !== null) say(io.stdout, `${indented(traceback)}\n`);
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

function grouped(db: Db, flags: ErrorsFlags, io: CliIo): ExitCode {
  const filter = filterOf(flags);
  sayUnknownNames(db, filter, [], io);
  const groups = getErrorGroups(db, { ...filter, by: flags.by });
  print(errorGroupTable(groups, io.clock.now()), flags, io);
  if (groups.length === 0 && sayIfNone(db, filter, io)) say(io.stderr, 'no errors were logged');
  const silent = silentFailures(db, filter);
  if (silent > 0) {
    say(
      io.stderr,
      `${count(silent, 'run')} failed or timed out without logging an error: runfold runs --status failed,timeout`,
    );
  }
  return 0;
}

function silentFailures(db: Db, filter: ReturnType<typeof filterOf>): number {
  const wanted = (['failed', 'timeout'] as const).filter(
    (status) => filter.status === undefined || filter.status.includes(status),
  );
  const failed = { ...filter, status: wanted };
  return countRuns(db, failed) - countRuns(db, { ...failed, hasErrors: true });
}
