// What SLURM tells a job of itself, by its environment -> the payload of a slurm_info event.
import type { Env } from '../events/env.ts';
import type { EventOf } from '../events/event.ts';

type Known =
  | 'job_id'
  | 'array_job_id'
  | 'array_task_id'
  | 'restart_count'
  | 'state'
  | 'partition'
  | 'account'
  | 'node_list'
  | 'cpus'
  | 'gpus'
  | 'memory_mb'
  | 'started_at'
  | 'time_limit_seconds'
  | 'source';

/** Fields that are undefined are not known. */
export type SlurmEnvInfo = { [Field in Known]: EventOf<'slurm_info'>[Field] };

const CPUS_OF_NODES = /^(\d+)(?:\(x(\d+)\))?$/;
const GPUS_OF_TYPE = /^[^:,]+:(\d+)$/;
/** 9999-12-31T23:59:59Z, in seconds. */
const LAST_TIME = 253_402_300_799;

/**
 * Undefined outside of a job. What is absent or cannot be read is left out, never guessed;
 * conformance/slurm-env.json has the cases.
 */
export function slurmInfoFromEnv(env: Env): SlurmEnvInfo | undefined {
  const jobId = digits(env['SLURM_JOB_ID']);
  if (jobId === undefined) return undefined;
  const nodes = whole(env['SLURM_JOB_NUM_NODES']);
  const cpus = cpusOf(env['SLURM_JOB_CPUS_PER_NODE']);
  const start = whole(env['SLURM_JOB_START_TIME']);
  const end = whole(env['SLURM_JOB_END_TIME']);
  return {
    job_id: jobId,
    array_job_id: digits(env['SLURM_ARRAY_JOB_ID']),
    array_task_id: digits(env['SLURM_ARRAY_TASK_ID']),
    restart_count: whole(env['SLURM_RESTART_COUNT']),
    state: 'RUNNING',
    partition: env['SLURM_JOB_PARTITION'] || undefined,
    account: env['SLURM_JOB_ACCOUNT'] || undefined,
    node_list: env['SLURM_JOB_NODELIST'] || undefined,
    cpus,
    gpus: gpusOf(env['SLURM_GPUS']) ?? product(whole(env['SLURM_GPUS_ON_NODE']), nodes),
    // a memory of 0 asks for all that a node has, which is no amount
    memory_mb:
      product(whole(env['SLURM_MEM_PER_NODE']) || undefined, nodes) ??
      product(whole(env['SLURM_MEM_PER_CPU']) || undefined, cpus),
    started_at: start === undefined || start > LAST_TIME ? undefined : new Date(start * 1000).toISOString(),
    time_limit_seconds: start === undefined || end === undefined || end <= start ? undefined : end - start,
    source: 'env',
  };
}

function digits(text: string | undefined): string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? text : undefined;
}

function whole(text: string | undefined): number | undefined {
  return safe(Number(digits(text) ?? Number.NaN));
}

function safe(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined;
}

function product(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : safe(one * other);
}

/** `4(x2),3` is two nodes with four each and one with three. */
function cpusOf(text: string | undefined): number | undefined {
  return sum(text, CPUS_OF_NODES, ([, cpus, nodes = '1']) => product(whole(cpus), whole(nodes)));
}

/** `4`, or `a100:2,v100:1`. */
function gpusOf(text: string | undefined): number | undefined {
  return whole(text) ?? sum(text, GPUS_OF_TYPE, ([, gpus]) => whole(gpus));
}

/** Over the parts of a list; undefined if one of them is of another form. */
function sum(
  list: string | undefined,
  form: RegExp,
  valueOf: (match: RegExpExecArray) => number | undefined,
): number | undefined {
  let total = 0;
  for (const part of (list ?? '').split(',')) {
    const match = form.exec(part);
    const value = match === null ? undefined : valueOf(match);
    if (value === undefined) return undefined;
    total += value;
  }
  return safe(total);
}
