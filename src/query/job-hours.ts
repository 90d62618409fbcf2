// Hours of allocated GPUs and CPUs, by how the attempts ended that spent them.
import type { RunStatus } from '../events/event.ts';
import { sumOfHours, type Hours, type TasksOfJob } from './job-tasks.ts';

export interface StatusHours extends Hours {
  status: RunStatus;
  /** Starts of tasks that spent hours on it. */
  starts: number;
}

const ORDER: readonly RunStatus[] = ['completed', 'failed', 'timeout', 'running', 'pending'];

/** In the order completed, failed, timeout, running; a status that no hours were spent on is left out. */
export function hoursByStatus(jobs: readonly Pick<TasksOfJob, 'tasks'>[]): StatusHours[] {
  const found = new Map<RunStatus, StatusHours>();
  for (const { tasks } of jobs)
    for (const { hours } of tasks)
      for (const [name, spent] of Object.entries(hours)) {
        const status = name as RunStatus;
        const before = found.get(status);
        found.set(status, { status, ...sumOfHours(before, spent), starts: (before?.starts ?? 0) + 1 });
      }
  return ORDER.flatMap((status) => found.get(status) ?? []);
}
