// runfold jobs: what SLURM ran, and what it cost.
import type { Db } from '../../db/open.ts';
import { getJobHours, getJobs, getJobTasks, type JobsOptions } from '../../query/jobs.ts';
import { getRun } from '../../query/run.ts';
import { formatOf, type FormatFlags } from '../format/options.ts';
import { print } from '../format/print.ts';
import type { Table } from '../format/table.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { hoursTable } from '../job-hours-table.ts';
import { JOB_FIELDS, jobTable, recordTable, TASK_FIELDS, taskTable } from '../job-table.ts';
import { filterOf, reading, type FilterFlags, type ReadingFlags } from '../reading.ts';
import { sayIfNone, sayUnknownNames } from '../unknown-names.ts';

export interface JobsFlags extends ReadingFlags, FilterFlags, FormatFlags {
  tasks?: boolean;
  hours?: boolean;
  state?: string[];
  active?: boolean;
  limit?: number;
}

/** What fits a screen or two; programs get all. */
const SHOWN_LINES = 50;

export function jobs(run: string | undefined, flags: JobsFlags, io: CliIo): Promise<ExitCode> {
  const format = formatOf(flags);
  return reading(flags, io, (db) => {
    const runId = run === undefined ? undefined : getRun(db, run).run_id;
    const { includeHidden, ...filter } = filterOf(flags);
    sayUnknownNames(db, filter, [], io);
    const all: JobsOptions = {
      ...filter,
      // who names a run means it
      includeHidden: runId === undefined ? includeHidden : true,
      runId,
      state: flags.state,
      active: flags.active,
      now: io.clock.now(),
    };
    const limit =
      flags.limit === 0 ? undefined : (flags.limit ?? (format === 'table' ? SHOWN_LINES : undefined));
    const isForPeople = format === 'table' || format === 'markdown' || format === 'latex';
    const [table, isCut] = tableFor(
      db,
      { ...all, limit },
      { ...flags, tasks: flags.tasks ?? runId !== undefined },
      isForPeople,
    );
    print(table, flags, io);
    if (isCut) say(io.stderr, `the newest ${limit ?? 0}; --limit 0 shows all`);
    if (table.rows.length === 0) sayNone(db, flags, runId, io);
    return 0;
  });
}

function tableFor(db: Db, options: JobsOptions, flags: JobsFlags, isForPeople: boolean): [Table, boolean] {
  const { limit, ...all } = options;
  if (flags.hours === true) return [hoursTable(getJobHours(db, all)), false];
  // one more tells whether there are more
  const more = limit === undefined ? undefined : limit + 1;
  if (flags.tasks === true) {
    const found = getJobTasks(db, { ...all, limit: more });
    const shown = found.slice(0, limit);
    return [isForPeople ? taskTable(shown) : recordTable(shown, TASK_FIELDS), found.length > shown.length];
  }
  const found = getJobs(db, { ...all, limit: more });
  const shown = found.slice(0, limit);
  return [isForPeople ? jobTable(shown) : recordTable(shown, JOB_FIELDS), found.length > shown.length];
}

function sayNone(db: Db, flags: JobsFlags, runId: string | undefined, io: CliIo): void {
  if (runId !== undefined) say(io.stderr, `no SLURM job is known of run ${runId}`);
  else if (sayIfNone(db, filterOf(flags), io))
    say(
      io.stderr,
      flags.hours === true ? 'no hours of SLURM jobs are known' : 'no SLURM job is known that matches',
    );
}
