// runfold show: everything about one run.
import type { Db } from '../../db/open.ts';
import { getAttempts } from '../../query/attempts.ts';
import { divergedMetrics } from '../../query/diverged.ts';
import { getRunResults } from '../../query/results.ts';
import { getRunErrors } from '../../query/run-errors.ts';
import { getRun } from '../../query/run.ts';
import { getSlurmJobs } from '../../query/slurm-jobs.ts';
import { say, sayJson, type CliIo, type ExitCode } from '../io.ts';
import { reading, type ReadingFlags } from '../reading.ts';
import { runPage, type RunReport } from '../run-page.ts';

export interface ShowFlags extends ReadingFlags {
  json?: boolean;
}

export function show(run: string, flags: ShowFlags, io: CliIo): Promise<ExitCode> {
  return reading(flags, io, (db) => {
    const report = db.transaction(() => reportOf(db, run))();
    if (flags.json === true) sayJson(io.stdout, report, 2);
    else for (const line of runPage(report, io.clock.now())) say(io.stdout, line);
    return 0;
  });
}

function reportOf(db: Db, id: string): RunReport {
  const run = getRun(db, id);
  return {
    run,
    attempts: getAttempts(db, run.run_id),
    results: getRunResults(db, run.run_id),
    diverged: Object.fromEntries(divergedMetrics(db, run.run_id)),
    errors: getRunErrors(db, run.run_id),
    slurm_jobs: getSlurmJobs(db, run.run_id),
  };
}
