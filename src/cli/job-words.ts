// What is said of jobs in a table and on the page of a run.
import type { SlurmJob } from '../query/slurm-jobs.ts';
import { endOfState, stateWord } from '../query/job-states.ts';
import type { Emphasis } from './format/table.ts';
import { hoursAndMinutes, slurmMemory } from './human.ts';
import { statusEmphasis } from './run-table.ts';

/** As much of what it asked for a job may use before people should look. */
const NEAR = 0.9;

/** `1:20 of 4:00`, or as much of it as is known. */
export function timeText(elapsed: number | null, limit: number | null): string | undefined {
  if (elapsed === null) return limit === null ? undefined : `limit ${hoursAndMinutes(limit)}`;
  return limit === null
    ? hoursAndMinutes(elapsed)
    : `${hoursAndMinutes(elapsed)} of ${hoursAndMinutes(limit)}`;
}

/** `3.9G of 4G`, or as much of it as is known; `~` before what samples say. */
export function memoryText(used: number | null, asked: number | null, isSampled = false): string | undefined {
  if (used === null) return asked === null ? undefined : `asked ${slurmMemory(asked)}`;
  const text = `${isSampled ? '~' : ''}${slurmMemory(used)}`;
  return asked === null ? text : `${text} of ${slurmMemory(asked)}`;
}

export function isNear(used: number | null, asked: number | null): boolean {
  return used !== null && asked !== null && asked > 0 && used > NEAR * asked;
}

/** The colour of a state: that of the status that it makes of a run. */
export function stateEmphasis(state: string): Emphasis | undefined {
  const word = stateWord(state);
  if (word === 'PENDING') return statusEmphasis('pending');
  return statusEmphasis(endOfState(word) ?? state);
}

/** `4711_3`, or the raw id of what is in no array. */
export function taskName({
  job_id,
  array_job_id,
  array_task_id,
}: Pick<SlurmJob, 'job_id' | 'array_job_id' | 'array_task_id'>): string {
  return array_job_id === null ? job_id : `${array_job_id}_${array_task_id ?? '?'}`;
}
