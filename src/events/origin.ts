// The part of a file's name that tells people where its writer ran.
import os from 'node:os';
import type { Env } from './env.ts';

export interface Place {
  env: Env;
  host: string;
  pid: number;
}

const MAX_LENGTH = 64;

/** `slurm<jobid>[_<task>][r<restart>]` in a SLURM job, else `<host>-<pid>`; `[A-Za-z0-9._-]`, at most 64. */
export function originOf({ env, host, pid }: Place): string {
  return slurmOrigin(env) ?? hostOrigin(host, pid);
}

function slurmOrigin(env: Env): string | undefined {
  const arrayJob = env['SLURM_ARRAY_JOB_ID'];
  const task = env['SLURM_ARRAY_TASK_ID'];
  const job = arrayJob && task ? `${arrayJob}_${task}` : env['SLURM_JOB_ID'];
  if (!job) return undefined;
  const restarts = Number(env['SLURM_RESTART_COUNT'] ?? 0);
  return plain(`slurm${job}${restarts > 0 ? `r${restarts}` : ''}`).slice(0, MAX_LENGTH);
}

function hostOrigin(host: string, pid: number): string {
  const end = `-${pid}`;
  // the host is cut, not the pid, which tells the processes of one node apart
  return plain(host || 'host').slice(0, MAX_LENGTH - end.length) + end;
}

function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, '-');
}

/** The name of this machine, never empty. */
export function hostName(): string {
  return os.hostname() || 'host';
}

/** Who runs this. The environment is asked first: a look-up by uid can take seconds on a cluster. */
export function userName(env: Env): string {
  const named = env['USER'] || env['LOGNAME'] || env['SLURM_JOB_USER'];
  if (named) return named;
  try {
    return os.userInfo().username;
  } catch {
    // a uid without an entry, as in many containers
    return String(process.getuid?.() ?? 'unknown');
  }
}
