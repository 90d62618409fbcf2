// Hours of allocated GPUs and CPUs, by how the attempts ended that spent them.
import type { Db } from '../db/open.ts';
import type { RunStatus } from '../events/event.ts';
import { readSharedTasks, readTaskRows, sumJobRows, type JobRowSum, type JobSelection } from './job-rows.ts';
import { plainEnd } from './job-ends.ts';
import { sumOfHours, tasksOfJobs, type Hours, type TasksOfJob } from './job-tasks.ts';

export interface StatusHours extends Hours {
  status: RunStatus;
  /** Starts of tasks that spent hours on it. */
  starts: number;
}

const ORDER: readonly RunStatus[] = ['completed', 'failed', 'timeout', 'running', 'pending'];

/** In the order completed, failed, timeout, running; a status that no hours were spent on is left out. */
export function hoursByStatus(jobs: readonly Pick<TasksOfJob, 'tasks'>[]): StatusHours[] {
  return sumByStatus(
    jobs.flatMap(({ tasks }) =>
      tasks.flatMap(({ hours }) =>
        Object.entries(hours).map(([status, spent]) => ({
          status: status as RunStatus,
          ...spent,
          starts: 1,
        })),
      ),
    ),
  );
}

/**
 * The same of all jobs that are selected. Nearly all tasks were started once, for one run, and there may be very many:
 * those are summed by the database, and the others told apart one by one.
 */
export function readHoursByStatus(db: Db, selection: JobSelection, nowMs: number): StatusHours[] {
  const shared = readSharedTasks(db);
  const others = tasksOfJobs(readTaskRows(db, selection, shared), nowMs);
  const plain = sumJobRows(db, selection, { exceptTasks: shared, now: nowMs });
  return sumByStatus([...plain.flatMap(statusHours), ...hoursByStatus(others)]);
}

function statusHours({ state, attempt_status, until, rows, gpu_hours, cpu_hours }: JobRowSum): StatusHours[] {
  const { status, spends, has_ended } = plainEnd({ state, attempt_status });
  // of what has ended, nobody knows when, no hours are known
  if (!spends || (until === 'now' && has_ended)) return [];
  return [{ status, gpu_hours, cpu_hours, starts: rows }];
}

function sumByStatus(parts: readonly StatusHours[]): StatusHours[] {
  const found = new Map<RunStatus, StatusHours>();
  for (const part of parts) {
    const before = found.get(part.status);
    const starts = (before?.starts ?? 0) + part.starts;
    found.set(part.status, { status: part.status, ...sumOfHours(before, part), starts });
  }
  return ORDER.flatMap((status) => found.get(status) ?? []);
}
