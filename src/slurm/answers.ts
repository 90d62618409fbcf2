// What squeue and sacct said together, looked up by job.
import type { SlurmFacts } from './facts.ts';
import { grouped } from '../grouped.ts';
import { hasTask, jobKey, type TaskRange } from './job-id.ts';
import { startsOf, type SacctRow } from './sacct.ts';
import type { SqueueRow } from './squeue.ts';
import { isEndState, stateWord } from './states.ts';

/** `failed`: it may know more than it says just now. `missing`: there is none here, it will never say anything. */
export type Heard<Row> = { rows: readonly Row[] } | 'failed' | 'missing';

export interface JobRows {
  squeue: SqueueRow | undefined;
  /** Its starts in order, of which some may be lacking. A stub stands there only as the last. */
  sacct: readonly SacctRow[];
}

export class Answers {
  readonly squeue: 'answered' | 'failed' | 'missing';
  readonly sacct: 'answered' | 'failed' | 'missing';
  readonly #squeue: Table<SqueueRow>;
  readonly #sacct: Table<SacctRow>;

  constructor(squeue: Heard<SqueueRow>, sacct: Heard<SacctRow>) {
    this.squeue = typeof squeue === 'string' ? squeue : 'answered';
    this.sacct = typeof sacct === 'string' ? sacct : 'answered';
    this.#squeue = new Table(typeof squeue === 'string' ? [] : squeue.rows.filter(isOfHere));
    this.#sacct = new Table(typeof sacct === 'string' ? [] : sacct.rows.filter(isOfHere));
  }

  of(job: { job_id: string; array_job_id: string | null; array_task_id: string | null }): JobRows {
    const squeue = newest([...this.#squeue.own(job), ...this.#squeue.waiting(job)]);
    const own = this.#sacct.own(job).filter((row, index, rows) => !row.isStub || index === rows.length - 1);
    // the job that the stub is of may be another than that of the rows before
    if (own.some((row) => !row.isStub)) return { squeue, sacct: startsOf(own) };
    const waiting = this.#sacct.waiting(job).filter((row) => this.#isBelieved(row, squeue));
    return { squeue, sacct: waiting.slice(-1) };
  }

  /**
   * A row of tasks that wait goes stale: tasks that were cancelled one by one, and some that ran, stay in it. So it
   * counts only for tasks of which nothing else is known, and never against squeue.
   */
  #isBelieved(row: SacctRow, squeue: SqueueRow | undefined): boolean {
    if (this.squeue !== 'answered') return true;
    if (squeue === undefined) return isEndState(row.facts.state);
    return isEndState(squeue.facts.state) || !isEndState(row.facts.state);
  }
}

interface Named {
  job: string;
  array?: string;
  task?: string;
  tasks?: TaskRange;
}

interface Wanted {
  job_id: string;
  array_job_id: string | null;
  array_task_id: string | null;
}

class Table<Row extends Named> {
  readonly #own: Map<string, Row[]>;
  readonly #waiting: Map<string, Row[]>;

  constructor(rows: readonly Row[]) {
    this.#own = grouped(
      rows.filter((row) => row.tasks === undefined),
      ({ job, array, task }) => jobKey(job, array, task),
    );
    this.#waiting = grouped(
      rows.filter((row) => row.tasks !== undefined),
      ({ array = '' }) => array,
    );
  }

  own({ job_id, array_job_id, array_task_id }: Wanted): Row[] {
    const rows = this.#own.get(jobKey(job_id, array_job_id, array_task_id)) ?? [];
    // for its first seconds a task is shown as a plain job; the id of the array itself could be any task's
    if (rows.length > 0 || array_task_id === null || job_id === array_job_id) return rows;
    return this.#own.get(job_id) ?? [];
  }

  waiting({ array_job_id, array_task_id }: Wanted): Row[] {
    if (array_job_id === null || array_task_id === null) return [];
    return (this.#waiting.get(array_job_id) ?? []).filter(({ tasks = [] }) => hasTask(tasks, array_task_id));
  }
}

/** A sibling in a federation that another cluster has taken says nothing of the job: that one tells. */
function isOfHere({ facts }: { facts: SlurmFacts }): boolean {
  return stateWord(facts.state) !== 'REVOKED';
}

/** Of several rows that speak for one job, the latest start; a task's own row before a range. */
function newest(rows: readonly SqueueRow[]): SqueueRow | undefined {
  return rows.reduce<SqueueRow | undefined>(
    (best, row) => (best === undefined || row.restart > best.restart ? row : best),
    undefined,
  );
}
