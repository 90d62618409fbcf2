// What the log has already said of the jobs of a run.
import type { EventOf, RunStatus } from '../events/event.ts';
import { jobKey } from './job-id.ts';

/** A row of `slurm_jobs`. */
export interface KnownJob {
  job_id: string;
  array_job_id: string | null;
  array_task_id: string | null;
  restart_count: number;
  attempt: string;
  state: string | null;
  reason: string | null;
  submitted_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  exit_code: number | null;
  /** The other columns, each by the name of the field. */
  readonly [column: string]: string | number | null;
}

/** Events as they were said, not yet folded. */
export type SaidInfo = EventOf<'slurm_info'> & { attempt: string };
export type SaidStatus = EventOf<'status_changed'> & { attempt: string };

export interface KnownRun {
  runId: string;
  /** All starts of those jobs that SLURM is asked about. */
  jobs: readonly KnownJob[];
  said: readonly (SaidInfo | SaidStatus)[];
  /** The status of each attempt. */
  attempts: ReadonlyMap<string, RunStatus>;
  /** Of the newest event, metric or sample of the run. */
  lastTs: string;
  /** The same without the words by which SLURM did not know a job. */
  lastSignOfLife: string;
  /** By `keyOf`, jobs that ran other runs too. */
  shared: ReadonlySet<string>;
}

export function keyOf({
  job_id,
  array_job_id,
  array_task_id,
}: Pick<KnownJob, 'job_id' | 'array_job_id' | 'array_task_id'>): string {
  return jobKey(job_id, array_job_id, array_task_id);
}

/** One job of a run, with all that was said of it. */
export class KnownStarts {
  readonly #infos: readonly SaidInfo[];
  readonly #rows: ReadonlyMap<number, KnownJob>;

  constructor(jobs: readonly KnownJob[], infos: readonly SaidInfo[]) {
    this.#rows = new Map(jobs.map((job) => [job.restart_count, job]));
    this.#infos = infos;
  }

  #of(restart: number): readonly SaidInfo[] {
    return this.#infos.filter(({ restart_count }) => (restart_count ?? 0) === restart);
  }

  get restarts(): number[] {
    return [...this.#rows.keys()];
  }

  row(restart: number): KnownJob | undefined {
    return this.#rows.get(restart);
  }

  /**
   * The attempt that a start of the job was. The job's own word counts before anything that was said of it; a start
   * of which nothing is known yet belongs to the attempt before it. Undefined: no attempt is known that early.
   */
  attempt(restart: number): string | undefined {
    const own = this.#infos.filter(
      ({ source, restart_count }) => source === 'env' && (restart_count ?? 0) === restart,
    );
    const lastOwn = own.toSorted((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0)).at(-1);
    if (lastOwn !== undefined) return lastOwn.attempt;
    const row = this.#rows.get(restart);
    if (row !== undefined) return row.attempt;
    const earlier = this.restarts.filter((other) => other < restart);
    return earlier.length === 0 ? undefined : this.attempt(Math.max(...earlier));
  }

  /** When this start, as the job itself says, began. */
  ownStart(restart: number): string | undefined {
    const own = this.#of(restart).find(({ source, started_at }) => source === 'env' && started_at != null);
    return own?.started_at ?? undefined;
  }

  /** When this start began, or was submitted, by those who have it from the controller. */
  times(restart: number, field: 'started_at' | 'submitted_at'): string[] {
    return this.#of(restart)
      .filter(({ source }) => source !== 'sacct')
      .map((info) => info[field])
      .filter((time) => typeof time === 'string');
  }

  /**
   * `ts` of the first word by which this start was not over yet. What sacct said, and what was said of its end, came
   * when it came.
   */
  firstWord(restart: number): string | undefined {
    const infos = this.#of(restart).toSorted((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0));
    const own = infos.find(({ source }) => source === 'env');
    const [first] = infos;
    const isWaiting = first?.source === 'squeue' && first.state === 'PENDING';
    return isWaiting ? first.ts : own?.ts;
  }

  /** When it was last said that SLURM does not know this start. */
  unknownAt(restart: number, unknown: string): string | undefined {
    return this.#of(restart)
      .filter(({ reason }) => reason === unknown)
      .map(({ ts }) => ts)
      .toSorted()
      .at(-1);
  }

  /** Whether sacct has said when this start ended. */
  hasSacctEnd(restart: number): boolean {
    return this.#of(restart).some(({ source, ended_at }) => source === 'sacct' && ended_at != null);
  }

  /** `ts` of the last word of a source on this start. */
  lastTs(restart: number, source: string): string | undefined {
    return this.#of(restart)
      .filter((info) => info.source === source)
      .map(({ ts }) => ts)
      .toSorted()
      .at(-1);
  }

  /** Whether a source whose word counts before that of `source` has said a field. A state that is an end counts always. */
  isHidden(restart: number, field: string, source: 'squeue' | 'sacct'): boolean {
    const stronger = new Set([
      ...(source === 'squeue' ? ['sacct'] : []),
      // how it ended the job itself knows best
      ...(field === 'exit_code' ? ['env'] : []),
    ]);
    return this.#of(restart).some(
      (info) =>
        stronger.has(info.source ?? '') &&
        Object.entries(info).some(([name, value]) => name === field && value !== null),
    );
  }
}
