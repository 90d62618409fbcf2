// Whose word counts for one start of a job, and what that word is. Pure.
import type { Answers } from './answers.ts';
import type { SlurmFacts } from './facts.ts';
import type { KnownJob, KnownStarts } from './known-run.ts';
import type { JobAnswer } from './match.ts';
import type { SacctRow } from './sacct.ts';
import type { SqueueRow } from './squeue.ts';
import { isEndState, stateWord } from './states.ts';
import { verdictOf, type Verdict } from './verdict.ts';
import type { Exit } from './values.ts';

/** How long a job that SLURM does not know, or that has ended but for its batch step, is left alone. */
export const GRACE_MS = 15 * 60_000;

/** sacct may come back after a weekend: so long it is asked how a job ended of which squeue alone has said that. */
export const SACCT_LATE_MS = 3 * 86_400_000;

/** The reason of a job that neither squeue nor sacct knows. */
export const UNKNOWN = 'unknown';

export interface Moment {
  answers: Answers;
  nowMs: number;
}

/** What to write of one start, and by whose word. */
export interface Word {
  source: 'squeue' | 'sacct';
  facts: SlurmFacts;
  verdict: Verdict | undefined;
}

export function squeueOf({ squeue }: JobAnswer, restart: number): SqueueRow | undefined {
  return squeue?.restart === restart ? squeue : undefined;
}

/** For live jobs squeue's word counts before sacct's, which is seconds to minutes behind; for ends sacct's. */
export function wordOn(
  restart: number,
  row: KnownJob | undefined,
  answer: JobAnswer,
  starts: KnownStarts,
  { answers, nowMs }: Moment,
): Word | undefined {
  const squeue = squeueOf(answer, restart);
  const sacct = answer.sacct.get(restart);
  const end = sacct === undefined || !mayHaveEnded(squeue, sacct, nowMs) ? undefined : endOf(sacct, nowMs);
  if (sacct !== undefined && end !== undefined) return endBySacct(sacct, end, squeue, row);
  if (squeue !== undefined) {
    // a state that sacct said hides squeue's, until sacct has caught up within seconds
    const isHidden = squeue.facts.state !== row?.state && starts.isHidden(restart, 'state', 'squeue');
    const isAgreed = sacct !== undefined && stateWord(sacct.facts.state) === stateWord(squeue.facts.state);
    return isHidden && isAgreed && !isEndState(squeue.facts.state) ? runningBySacct(sacct) : bySqueue(squeue);
  }
  if (sacct !== undefined && answers.squeue === 'failed') return runningBySacct(sacct);
  if (answers.squeue !== 'answered') return sacct === undefined ? undefined : liveBySacct(sacct);
  const next = answer.squeue;
  // of an earlier start squeue says nothing more than that there is a later one
  if (answers.sacct !== 'missing' || next === undefined || next.restart < restart) return undefined;
  return row === undefined || row.ended_at !== null ? undefined : requeued(next, row);
}

function requeued(next: SqueueRow, row: KnownJob): Word | undefined {
  const { submitted_at } = next.facts;
  // the requeue is a new submission, save in the first moments
  if (submitted_at === undefined || submitted_at <= (row.started_at ?? row.submitted_at ?? ''))
    return undefined;
  const facts = { state: 'REQUEUED', ended_at: submitted_at };
  return { source: 'squeue', facts, verdict: verdictOf(facts.state, {}) };
}

function bySqueue({ facts, exit }: SqueueRow): Word {
  if (!isEndState(facts.state)) return { source: 'squeue', facts, verdict: undefined };
  const verdict = verdictOf(facts.state, exit);
  return { source: 'squeue', facts: { ...facts, ...exitFacts(facts.state, exit) }, verdict };
}

/** COMPLETING is no contradiction of an end: a node can be stuck in it for hours after the job's processes are gone. */
function mayHaveEnded(squeue: SqueueRow | undefined, { facts, steps }: SacctRow, nowMs: number): boolean {
  if (squeue === undefined || isEndState(squeue.facts.state)) return true;
  if (stateWord(squeue.facts.state) !== 'COMPLETING') return false;
  // of a requeue the batch step has the job's state and End until its processes have ended
  const isOver = steps.some(
    ({ name, state, endedAt }) =>
      name === 'batch' && endedAt !== undefined && stateWord(state) !== 'REQUEUED',
  );
  return isOver || (facts.ended_at !== undefined && nowMs - Date.parse(facts.ended_at) >= GRACE_MS);
}

function liveBySacct(sacct: SacctRow): Word | undefined {
  if (isEndState(sacct.facts.state) || sacct.isStub) return undefined;
  return { source: 'sacct', facts: sacct.facts, verdict: undefined };
}

/** While squeue does not answer: all that sacct says more would hide what squeue will say. */
function runningBySacct({ facts: { state, started_at } }: SacctRow): Word | undefined {
  if (stateWord(state) !== 'RUNNING') return undefined;
  return { source: 'sacct', facts: { state, started_at }, verdict: undefined };
}

/** The job's own End is when it was told to end; that of its batch step is when it had ended. */
function endOf({ facts, steps }: SacctRow, nowMs: number): string | undefined {
  const { state, ended_at } = facts;
  if (!isEndState(state)) return undefined;
  const batch = steps.find(({ name }) => name === 'batch');
  // sacct can lack the End of a job, and have those of its steps
  if (ended_at === undefined) return batch?.endedAt ?? lastEndOf(steps);
  if (batch === undefined) return ended_at;
  if (batch.endedAt === undefined) return nowMs - Date.parse(ended_at) >= GRACE_MS ? ended_at : undefined;
  return batch.endedAt;
}

function lastEndOf(steps: SacctRow['steps']): string | undefined {
  const ends = steps.map(({ endedAt }) => endedAt).filter((end) => end !== undefined);
  return ends.length < steps.length ? undefined : ends.toSorted().at(-1);
}

function endBySacct(
  sacct: SacctRow,
  end: string,
  squeue: SqueueRow | undefined,
  row: KnownJob | undefined,
): Word {
  const { facts, steps } = sacct;
  const batch = steps.find(({ name }) => name === 'batch');
  const exit = trueExit(exitOfJob(sacct, batch?.exit), squeue, row);
  const rss = steps.map(({ maxRssMb }) => maxRssMb).filter((value) => value !== undefined);
  return {
    source: 'sacct',
    facts: {
      ...facts,
      state: moreSpecific(facts.state, row?.state),
      // why it waited stays; of why it ended squeue says more
      reason:
        squeue?.facts.reason ??
        (row?.reason === null || row?.reason === UNKNOWN || row === undefined ? facts.reason : undefined),
      ended_at: end,
      ...exitFacts(facts.state, exit),
      max_rss_mb: rss.length === 0 ? undefined : Math.max(...rss),
      stdout_path: squeue?.facts.stdout_path,
      stderr_path: squeue?.facts.stderr_path,
    },
    verdict: verdictOf(facts.state, exit, steps),
  };
}

/** A job that SLURM ended has 0:0 itself; how its script took that stands at the batch step. */
function exitOfJob({ exit }: SacctRow, batch: Exit | undefined): Exit {
  return exit.code === 0 && batch !== undefined ? batch : exit;
}

/** sacct loses 128 of an exit code. */
function trueExit(exit: Exit, squeue: SqueueRow | undefined, row: KnownJob | undefined): Exit {
  const fuller = [squeue?.exit.code, row?.exit_code].find(
    (code) => typeof code === 'number' && code >= 128 && (code & 127) === exit.code,
  );
  return typeof fuller === 'number' ? { code: fuller } : exit;
}

/** A code of 0 is an answer only of jobs that ended by themselves; the 1 of DEADLINE is nobody's. */
function exitFacts(state: string, { code, signal }: Exit): Pick<SlurmFacts, 'exit_code' | 'signal'> {
  const word = stateWord(state);
  const isOwn = word === 'COMPLETED' || word === 'FAILED';
  const exitCode = code === undefined || (!isOwn && (code === 0 || word === 'DEADLINE')) ? undefined : code;
  return { exit_code: exitCode, signal };
}

/** After a restart of the controller "CANCELLED by 1001" becomes plain CANCELLED. */
export function moreSpecific(state: string, before: string | null | undefined): string {
  return typeof before === 'string' && before.startsWith(`${state} `) ? before : state;
}
