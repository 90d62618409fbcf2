// What the log has of jobs, and what SLURM says of them now -> the events that are missing. Pure.
import type { Answers } from './answers.ts';
import type { SlurmFacts } from './facts.ts';
import { grouped } from '../grouped.ts';
import {
  keyOf,
  KnownStarts,
  type KnownJob,
  type KnownRun,
  type SaidInfo,
  type SaidStatus,
} from './known-run.ts';
import { matched, type JobAnswer } from './match.ts';
import { isEndState, stateWord } from './states.ts';
import type { Verdict } from './verdict.ts';
import { GRACE_MS, moreSpecific, squeueOf, UNKNOWN, wordOn, type Moment, type Word } from './word.ts';

export interface NewEvent {
  type: 'slurm_info' | 'status_changed';
  ts: string;
  run_id: string;
  attempt: string;
  [field: string]: string | number;
}

/** One start of a job, as it is now. */
export interface JobNow {
  /** `12`, or `12_3` for a task of an array. */
  job: string;
  restart: number;
  /** SLURM's word; null: it does not know the job. */
  state: string | null;
  /** It waits or runs. */
  isLive: boolean;
  /** Its end is new to the log. */
  isNewEnd: boolean;
  /** Why it ended: OUT_OF_MEMORY, SIGSEGV; else the state. Null: it has not. */
  cause: string | null;
}

export interface News {
  events: NewEvent[];
  /** A job of several runs is there once. */
  jobs: JobNow[];
}

export function newsOf(runs: readonly KnownRun[], answers: Answers, nowMs: number): News {
  const events: NewEvent[] = [];
  const jobs = new Map<string, JobNow>();
  for (const run of runs) {
    for (const rows of grouped(run.jobs, keyOf).values()) {
      const news = newsOfJob(run, rows, { answers, nowMs });
      events.push(...news.events);
      for (const job of news.jobs) {
        const before = jobs.get(`${job.job}r${job.restart}`);
        if (before === undefined || job.isNewEnd) jobs.set(`${job.job}r${job.restart}`, job);
      }
    }
  }
  return { events, jobs: [...jobs.values()] };
}

function newsOfJob(run: KnownRun, rows: readonly KnownJob[], moment: Moment): News {
  const { answers, nowMs } = moment;
  const [first] = rows;
  if (first === undefined) return { events: [], jobs: [] };
  const key = keyOf(first);
  const infos = run.said.filter((said): said is SaidInfo => said.type === 'slurm_info');
  const ofJob = infos.filter((info) => isOf(info, rows));
  const starts = new KnownStarts(rows, ofJob);
  const answer = matched(
    answers.of(rows.find(({ job_id, array_job_id }) => job_id !== array_job_id) ?? first),
    starts,
  );
  const newest = Math.max(...starts.restarts);
  const restarts = new Set([
    ...starts.restarts,
    ...answer.sacct.keys(),
    ...(answer.squeue === undefined ? [] : [answer.squeue.restart]),
  ]);
  const news: News = { events: [], jobs: [] };
  const silentMs = nowMs - Date.parse(run.lastTs);
  for (const restart of [...restarts].toSorted((a, b) => a - b)) {
    const row = starts.row(restart);
    const attempt = starts.attempt(restart);
    if (attempt === undefined || isSettled(row, starts.hasSacctEnd(restart))) continue;
    const word = wordOn(restart, row, answer, starts, moment);
    if (word !== undefined) {
      const job =
        answer.sacct.get(restart)?.job ?? squeueOf(answer, restart)?.job ?? row?.job_id ?? first.job_id;
      const isLast = ![...restarts].some((other) => other > restart && starts.attempt(other) === attempt);
      const about = { run, attempt, restart, job, array: first, starts, isLast };
      const made = eventsFor(about, word, row, nowMs);
      news.events.push(...made);
      const isNewEnd = isEndState(word.facts.state) && made.length > 0 && (row?.ended_at ?? null) === null;
      const isLive = !isEndState(word.facts.state);
      const cause = isLive ? null : (word.verdict?.reason ?? stateWord(word.facts.state));
      news.jobs.push({ job: key, restart, state: word.facts.state, isLive, isNewEnd, cause });
    } else if (restart === newest && isForgotten(answer, restart, row, { answers, silentMs })) {
      news.jobs.push({ job: key, restart, state: null, isLive: false, isNewEnd: false, cause: null });
      // said again once the run has given a sign of life and gone silent, so that it is not asked about for ever
      const isSaid =
        row?.reason === UNKNOWN && run.lastSignOfLife <= (starts.unknownAt(restart, UNKNOWN) ?? '');
      if (row !== undefined && !isSaid && silentMs >= GRACE_MS) {
        // by sacct's word it would hide what squeue may say later
        const isSqueue = answers.squeue === 'answered' && !starts.isHidden(restart, 'reason', 'squeue');
        const source = isSqueue ? 'squeue' : 'sacct';
        news.events.push(
          infoEvent(
            { run, attempt, restart, job: row.job_id, array: first, starts, isLast: true },
            { reason: UNKNOWN, source },
            nowMs,
          ),
        );
      }
    }
  }
  return news;
}

function isOf(info: SaidInfo, rows: readonly KnownJob[]): boolean {
  return rows.some(
    (row) =>
      String(info.job_id) === row.job_id ||
      (row.array_task_id !== null &&
        String(info.array_job_id ?? '') === row.array_job_id &&
        String(info.array_task_id ?? '') === row.array_task_id),
  );
}

/** SLURM has said how and when it ended, and will not say more. */
function isSettled(row: KnownJob | undefined, hasSacctEnd: boolean): boolean {
  return row !== undefined && row.ended_at !== null && isEndState(row.state ?? '') && hasSacctEnd;
}

/** How long one that fails is taken for one that may know more. */
const FAILED_FOR_GOOD_MS = 86_400_000;

/** Whether nobody who could know the job does. */
function isForgotten(
  answer: JobAnswer,
  restart: number,
  row: KnownJob | undefined,
  { answers, silentMs }: { answers: Answers; silentMs: number },
): boolean {
  if (answers.squeue === 'failed') return false;
  if (answers.sacct === 'failed' && (silentMs < FAILED_FOR_GOOD_MS || answers.squeue === 'missing'))
    return false;
  const isEnded = row !== undefined && row.ended_at !== null;
  const sacct = answer.sacct.get(restart);
  // without squeue a job that sacct shows as running may well be; one that ended it knows, but for the time
  const isUnheard =
    answer.sacct.size === 0 ||
    (answers.squeue === 'answered' && (sacct === undefined || !isEndState(sacct.facts.state)));
  return isUnheard && answer.squeue === undefined && !isEnded;
}

interface About {
  run: KnownRun;
  attempt: string;
  restart: number;
  /** Raw id. */
  job: string;
  array: KnownJob;
  starts: KnownStarts;
  /** No later start is known that is of the same attempt. */
  isLast: boolean;
}

function eventsFor(
  about: About,
  { source, facts, verdict }: Word,
  row: KnownJob | undefined,
  nowMs: number,
): NewEvent[] {
  const reason = facts.reason ?? (row?.reason === UNKNOWN ? 'None' : undefined);
  const changed = changesOf({ ...facts, reason, job_id: about.job }, row);
  for (const field of Object.keys(changed)) {
    if (isVain(field, changed[field], about, { source, row })) delete changed[field];
  }
  const events: NewEvent[] = [];
  if (Object.keys(changed).length > 0) events.push(infoEvent(about, { ...changed, source }, nowMs));
  const status = statusEvent(about, facts, verdict, nowMs);
  if (status !== undefined) events.push(status);
  return events;
}

/** Whether it would not change the row, since another's word counts before it. */
function isVain(
  field: string,
  value: string | number | undefined,
  { starts, restart }: About,
  { source, row }: { source: Word['source']; row: KnownJob | undefined },
): boolean {
  if (field === 'job_id') return false;
  if (field !== 'state') return starts.isHidden(restart, field, source);
  const isEnd = isEndState(String(value));
  if (isEndState(row?.state ?? '') !== isEnd) return !isEnd && row?.state != null;
  return starts.isHidden(restart, field, source);
}

function changesOf(
  said: SlurmFacts & { job_id: string },
  row: KnownJob | undefined,
): Record<string, string | number> {
  const changed: Record<string, string | number> = {};
  for (const [field, value] of Object.entries(said) as [string, string | number | undefined][]) {
    if (value === undefined || row?.[field] === value) continue;
    if (field === 'state' && moreSpecific(String(value), row?.state) !== value) continue;
    changed[field] = value;
  }
  return changed;
}

function infoEvent(
  { run, attempt, restart, job, array, starts }: About,
  fields: Record<string, string | number> & { source: Word['source'] },
  nowMs: number,
): NewEvent {
  // of one source the later word counts, by a clock that was ahead too
  const ts = notBefore(new Date(nowMs).toISOString(), starts.lastTs(restart, fields.source));
  return {
    type: 'slurm_info',
    ts,
    run_id: run.runId,
    attempt,
    job_id: job,
    ...(array.array_job_id !== null && { array_job_id: array.array_job_id }),
    ...(array.array_task_id !== null && { array_task_id: array.array_task_id }),
    ...(restart > 0 && { restart_count: restart }),
    ...fields,
  };
}

/** How long before its job's end a run may have failed for it to be of the job's end. */
const NEAR_MS = 10 * 60_000;

function statusEvent(
  { run, attempt, array, isLast }: About,
  facts: SlurmFacts,
  verdict: Verdict | undefined,
  nowMs: number,
): NewEvent | undefined {
  const event = { type: 'status_changed' as const, run_id: run.runId, attempt, source: 'slurm' };
  if (verdict === undefined) {
    if (stateWord(facts.state) !== 'RUNNING' || run.attempts.get(attempt) !== 'pending') return undefined;
    return { ...event, ts: facts.started_at ?? new Date(nowMs).toISOString(), status: 'running' };
  }
  const { status, reason } = verdict;
  const { exit_code } = facts;
  const end = facts.ended_at ?? new Date(nowMs).toISOString();
  const words = run.said.filter(
    (said): said is SaidStatus =>
      said.type === 'status_changed' && said.attempt === attempt && isTerminal(said),
  );
  const own = latestOf(words.filter(({ source }) => source !== 'slurm'));
  if (own !== undefined && Date.parse(end) - Date.parse(own) > NEAR_MS) return undefined;
  // a job of several runs goes on after one of them was killed
  if (status === 'completed' && own === undefined && run.shared.has(keyOf(array))) return undefined;
  const bySlurm = words.filter(({ source }) => source === 'slurm');
  const isSaid = bySlurm.some(
    (said) =>
      said.status === status &&
      (said.reason ?? undefined) === reason &&
      (said.exit_code ?? undefined) === exit_code &&
      // of two equal words the later counts
      said.ts >= end,
  );
  if (isSaid) return undefined;
  return {
    ...event,
    // a mended word must be later than the one it mends
    ts: isLast ? notBefore(end, latestOf(bySlurm)) : end,
    status,
    ...(reason !== undefined && { reason }),
    ...(exit_code !== undefined && { exit_code }),
  };
}

function isTerminal({ status }: SaidStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'timeout';
}

function latestOf(words: readonly { ts: string }[]): string | undefined {
  return words
    .map(({ ts }) => ts)
    .toSorted()
    .at(-1);
}

/** `ts`, or a millisecond after what was said before. */
function notBefore(ts: string, said: string | undefined): string {
  return said === undefined || said < ts ? ts : new Date(Date.parse(said) + 1).toISOString();
}
