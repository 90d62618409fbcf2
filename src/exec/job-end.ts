// When the job's time is over, asked when it begins to matter.
import type { Env } from '../events/env.ts';
import { askProgram } from './ask-program.ts';

const ASK_MS = 5000;
/** 9999-12-31T23:59:59Z, in seconds. */
const LAST_TIME = 253_402_300_799;

/**
 * Milliseconds since 1970; undefined outside of a job, without a limit, or if SLURM does not say it within 5 s. Never
 * rejects.
 */
export async function jobEnd(env: Env): Promise<number | undefined> {
  const said = env['SLURM_JOB_END_TIME'] ?? '';
  if (/^\d+$/.test(said) && Number(said) > 0 && Number(said) <= LAST_TIME) return Number(said) * 1000;
  const job = jobName(env);
  if (job === undefined) return undefined;
  return await new Promise((resolve) => {
    const options = { timeout: ASK_MS, killSignal: 'SIGKILL', env: { ...env, TZ: 'UTC' } } as const;
    askProgram('squeue', ['-h', '-j', job, '-o', '%e|%T|%r'], options, (error, stdout) => {
      // no squeue, no controller, no such job: the end is not known then
      resolve(error === null ? parseEnd(stdout) : undefined);
    });
  });
}

/** The raw id of the first task of an array is the id of the whole. */
function jobName(env: Env): string | undefined {
  const [array, task] = [env['SLURM_ARRAY_JOB_ID'], env['SLURM_ARRAY_TASK_ID']];
  if (array && task) return `${array}_${task}`;
  return env['SLURM_JOB_ID'] || undefined;
}

/**
 * What `squeue -o '%e|%T|%r'` prints for one job, in UTC. The end of a job that is being ended is now, whoever asked for
 * it: then only the reason tells a time limit from a scancel.
 */
export function parseEnd(text: string): number | undefined {
  const [, time, state, reason] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\|(\w+)\|(.*)$/.exec(text.trim()) ?? [];
  if (state !== 'RUNNING' && reason !== 'TimeLimit') return undefined;
  const end = time === undefined ? Number.NaN : Date.parse(`${time}Z`);
  return Number.isNaN(end) ? undefined : end;
}
