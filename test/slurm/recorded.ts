// Recorded answers of a real SLURM, and a run's events folded against them without a file or a process.
import * as fs from 'node:fs';
import path from 'node:path';
import type { FoldEvent } from '../../src/projector/attempts.ts';
import { fold, type FoldedRun } from '../../src/projector/fold.ts';
import { Answers, type Heard } from '../../src/slurm/answers.ts';
import type { KnownRun } from '../../src/slurm/known-run.ts';
import { newsOf, type JobNow, type NewEvent } from '../../src/slurm/news.ts';
import { parseSacct, type SacctRow } from '../../src/slurm/sacct.ts';
import { parseSqueue, SEPARATOR, type SqueueRow } from '../../src/slurm/squeue.ts';
import { ROOT } from '../helpers/documents.ts';
import { KEY, RUN } from '../helpers/lines.ts';

export const FIXTURES: string = path.join(ROOT, 'test/fixtures/slurm');

export function recorded(scenario: string, file: string): string {
  return fs.readFileSync(path.join(FIXTURES, scenario, file), 'utf8');
}

export function has(scenario: string, file: string): boolean {
  return fs.existsSync(path.join(FIXTURES, scenario, file));
}

/** All that sacct has, with the starts before a requeue. */
export function sacctOf(scenario: string, file?: string): { rows: SacctRow[] } {
  const name = file ?? (has(scenario, 'sacct-D.psv') ? 'sacct-D.psv' : 'sacct.psv');
  return { rows: parseSacct(recorded(scenario, name)).rows };
}

const COLUMNS: Readonly<Record<string, string>> = {
  STATE: 'state',
  REASON: 'reason',
  START_TIME: 'start',
  END_TIME: 'end',
  NODELIST: 'nodes',
  SUBMIT_TIME: 'submit',
  TIME_LIMIT: 'limit',
  CPUS: 'cpus',
};

/** `squeue -o` as it was recorded, in the form that is asked for; exit codes and restarts are those of scontrol. */
export function squeueOf(scenario: string, file = 'squeue-t-all.psv'): { rows: SqueueRow[] } {
  if (!has(scenario, file)) return { rows: [] };
  const [head = '', ...lines] = recorded(scenario, file).trimEnd().split('\n');
  if (!head.startsWith('JOBID|')) return { rows: [] };
  const names = head.split('|').map((name) => COLUMNS[name] ?? name);
  // of the same moment
  const shown =
    file === 'squeue-t-all.psv' ? 'scontrol.txt' : file.replace('squeue', 'scontrol').replace('.psv', '.txt');
  const control = has(scenario, shown) ? recorded(scenario, shown) : '';
  const rows = lines.map((line) => {
    const cells = line.split('|');
    const of = (name: string): string => cells[names.indexOf(name)] ?? 'N/A';
    const [id = '', raw = ''] = cells;
    return squeueLine({
      jobid: raw,
      jobarrayid: id,
      state: of('state'),
      reason: of('reason'),
      nodelist: of('nodes'),
      starttime: of('start'),
      endtime: of('end'),
      submittime: of('submit'),
      timelimit: of('limit'),
      numcpus: of('cpus'),
      ...shownBy(control, raw),
    });
  });
  return { rows: parseSqueue([squeueHeader(), ...rows].join('\n')).rows };
}

function shownBy(control: string, raw: string): Record<string, string> {
  const part = control.split(/^(?=JobId=)/m).find((text) => text.startsWith(`JobId=${raw} `)) ?? '';
  const [, restarts = '0'] = /Restarts=(\d+)/.exec(part) ?? [];
  const [, code = '0', signal = '0'] = /ExitCode=(\d+):(\d+)/.exec(part) ?? [];
  return { restartcnt: restarts, exit_code: String(Number(code) * 256 + Number(signal)) };
}

/** What a command said and its exit code, as it was typed then. */
export function acted(scenario: string, command: string): { text: string; code: number } {
  const [, after] = recorded(scenario, 'actions.txt').split(` $ ${command}\n`);
  const [, text, code] = /^([^]*?)\d\d:\d\d:\d\d\.\d{3} rc=(\d+)/.exec(after ?? '') ?? [];
  if (text === undefined) throw new Error(`${scenario} has no ${command}`);
  return { text, code: Number(code) };
}

const FIELDS = [
  'jobid', 'jobarrayid', 'state', 'restartcnt', 'exit_code', 'partition', 'account', 'numcpus', 'tres-alloc',
  'timelimit', 'submittime', 'starttime', 'endtime', 'reason', 'nodelist', 'username', 'stdout', 'stderr', 'name',
]; // prettier-ignore

export function squeueHeader(): string {
  return FIELDS.map((field) => `${field === 'jobarrayid' ? 'JOBID' : field.toUpperCase()}${SEPARATOR}`).join(
    '',
  );
}

export function squeueLine(fields: Readonly<Record<string, string>>): string {
  return FIELDS.map((field) => `${fields[field] ?? ''}${SEPARATOR}`).join('');
}

export interface Job {
  job_id: string;
  array_job_id?: string;
  array_task_id?: string;
  restart_count?: number;
  started_at?: string;
}

/** The events of a run, as a log has them, and what comes of them. */
export class RunWorld {
  readonly events: FoldEvent[] = [];
  now = Date.parse('2026-11-23T23:30:00.000Z');
  shared: ReadonlySet<string> = new Set();
  #seq = 0;

  add(attempt: string, event: Readonly<Record<string, unknown>>): void {
    this.#seq += 1;
    const whole = { run_id: RUN, ...event } as FoldEvent['event'];
    this.events.push({ writer: 'w', seq: this.#seq, attempt, event: whole, host: 'h', user: 'u' });
  }

  /** An attempt that has started in a job, and then said nothing more. */
  start(attempt: string, job: Job, ts = '2026-11-23T21:30:00.000Z'): this {
    this.add(attempt, { type: 'run_created', ts, ...KEY });
    this.add(attempt, { type: 'slurm_info', ts, ...job, state: 'RUNNING', source: 'env' });
    this.add(attempt, { type: 'status_changed', ts, status: 'running' });
    return this;
  }

  /** An attempt that was recorded when its job was submitted. */
  submit(attempt: string, job: Job, ts = '2026-11-23T21:30:00.000Z'): this {
    this.add(attempt, { type: 'run_created', ts, ...KEY });
    this.add(attempt, { type: 'slurm_info', ts, attempt, ...job, state: 'PENDING', source: 'squeue' });
    return this;
  }

  get folded(): FoldedRun {
    const folded = fold(this.events);
    if (folded === undefined) throw new Error('no attempt');
    return folded;
  }

  get known(): KnownRun {
    const { slurmJobs, attempts } = this.folded;
    const said = this.events.filter(
      ({ event }) => event.type === 'slurm_info' || event.type === 'status_changed',
    );
    const last = (events: readonly FoldEvent[]): string =>
      events
        .map(({ event }) => event.ts)
        .sort()
        .at(-1) ?? '';
    const signs = this.events.filter(({ event }) => !('reason' in event && event.reason === 'unknown'));
    return {
      runId: RUN,
      jobs: slurmJobs.map((row) => ({ ...row })) as unknown as KnownRun['jobs'],
      said: said.map(({ attempt, event }) => ({ ...event, attempt })) as unknown as KnownRun['said'],
      attempts: new Map(attempts.map(({ id, status }) => [id, status])),
      lastTs: last(this.events),
      lastSignOfLife: last(signs),
      shared: this.shared,
    };
  }

  ask(squeue: Heard<SqueueRow>, sacct: Heard<SacctRow>): { events: NewEvent[]; jobs: JobNow[] } {
    return newsOf([this.known], new Answers(squeue, sacct), this.now);
  }

  /** Asks, and takes the answer into the log. */
  refresh(squeue: Heard<SqueueRow>, sacct: Heard<SacctRow>): NewEvent[] {
    const { events } = this.ask(squeue, sacct);
    for (const event of events) this.add(event.attempt, event);
    return events;
  }
}
