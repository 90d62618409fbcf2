// Which job's output is meant, and where that is. Pure.
import type { RunAttempt } from '../../query/attempts.ts';
import { expandHostList } from '../../query/host-list.ts';
import type { RunRecord } from '../../query/run-record.ts';
import type { SlurmJob } from '../../query/slurm-jobs.ts';
import { taskName } from '../job-words.ts';

export type OutputStream = 'stdout' | 'stderr';

export interface Choice {
  /** Counted from 1; default the last. */
  attempt?: number | undefined;
  /** A raw id, `4711_3`, or the array's. */
  job?: string | undefined;
}

/**
 * The newest restart of the last attempt's job, or of what was chosen; one whose path is known before others. Undefined:
 * there is none.
 *
 * @param jobs in the order of `getSlurmJobs`
 */
export function chosenJob(
  jobs: readonly SlurmJob[],
  attempts: readonly RunAttempt[],
  { attempt, job }: Choice,
  stream: OutputStream,
): SlurmJob | undefined {
  const wanted = attempt === undefined && job !== undefined ? undefined : attempts.at((attempt ?? 0) - 1);
  const found = jobs.filter(
    (each) =>
      (wanted === undefined || each.attempt === wanted.attempt) &&
      (job === undefined || job === each.job_id || job === taskName(each) || job === each.array_job_id),
  );
  return found.findLast((each) => pathOf(each, stream) !== null) ?? found.at(-1);
}

export function pathOf(job: SlurmJob, stream: OutputStream): string | null {
  return stream === 'stdout' ? job.stdout_path : job.stderr_path;
}

/** `%4a` pads with zeros; `%%` is a per cent sign. */
const PATTERN = /%(\d{1,2})?([%a-zA-Z])/g;
const WIDEST = 10;

/**
 * A path in which SLURM has not filled in its patterns, with those filled in whose value is known.
 *
 * @returns also the patterns that are left
 */
export function filledIn(path: string, job: SlurmJob, run: RunRecord): { path: string; left: string[] } {
  const left: string[] = [];
  const values = patternValues(job, run);
  const filled = path.replace(PATTERN, (whole, width: string | undefined, letter: string) => {
    const value = values.get(letter);
    if (value === undefined || value === null) {
      left.push(whole);
      return whole;
    }
    // only numbers are padded
    const isPadded = width !== undefined && /^\d+$/.test(value);
    return isPadded ? value.padStart(Math.min(Number(width), WIDEST), '0') : value;
  });
  return { path: filled, left };
}

/** As sbatch's manual has them, for the output of a batch script; the name of the job, `%x`, is not known. */
function patternValues(job: SlurmJob, run: RunRecord): Map<string, string | null> {
  const { job_id, array_job_id, array_task_id } = job;
  const node = job.node_list === null ? undefined : expandHostList(job.node_list)?.[0];
  return new Map([
    ['%', '%'],
    ['A', array_job_id ?? job_id],
    // SLURM's own word for no task
    ['a', array_task_id ?? '4294967294'],
    ['b', array_task_id === null || !/^\d+$/.test(array_task_id) ? null : array_task_id.slice(-1)],
    ['J', job_id],
    ['j', job_id],
    ['N', node?.split('.')[0] ?? null],
    ['n', '0'],
    ['s', 'batch'],
    ['t', '0'],
    ['u', run.user_name],
  ]);
}
