// Which rows of squeue and sacct speak of which start of a job. Pure.
import type { JobRows } from './answers.ts';
import type { SlurmFacts } from './facts.ts';
import type { KnownStarts } from './known-run.ts';
import { mayStartAgain, type SacctRow } from './sacct.ts';
import type { SqueueRow } from './squeue.ts';
import { isEndState, stateWord } from './states.ts';

export interface JobAnswer {
  squeue: SqueueRow | undefined;
  /** By restart. A start that no row can be told to speak of is not there. */
  sacct: ReadonlyMap<number, SacctRow>;
}

/** By how much clocks of one cluster may differ. */
const SKEW_MS = 5 * 60_000;
/** Times of one start are the controller's, whoever tells them. */
const SAME_MS = 1_000;

/**
 * Ids are used again, and other clusters count from 1 too. So a row that ended before the job said its first word, or
 * began at another time than the job knows of itself, is one of another job.
 */
export function matched(rows: JobRows, starts: KnownStarts): JobAnswer {
  const settled = settledStart(rows, starts);
  const squeue =
    settled === undefined || isOfAnother(settled.facts, settled.restart, starts) ? undefined : settled;
  const sacct = new Map<number, SacctRow>();
  for (const [row, restart] of restartsOf(ofThisJob(rows.sacct, starts), squeue, starts)) {
    if (restart >= 0 && !isOfAnother(row.facts, restart, starts)) sacct.set(restart, row);
  }
  return { squeue, sacct };
}

/** While the processes of a requeued job end squeue counts the restart already, which nobody else knows yet. */
function settledStart({ squeue, sacct }: JobRows, starts: KnownStarts): SqueueRow | undefined {
  if (squeue === undefined || squeue.restart === 0 || stateWord(squeue.facts.state) !== 'COMPLETING') {
    return squeue;
  }
  const isKnown = starts.row(squeue.restart) !== undefined || sacct.length > squeue.restart;
  return isKnown ? squeue : { ...squeue, restart: squeue.restart - 1 };
}

function isOfAnother(facts: SlurmFacts, restart: number, starts: KnownStarts): boolean {
  const own = starts.ownStart(restart);
  return (
    isBefore(facts.ended_at, starts.firstWord(restart)) ||
    (own !== undefined && facts.started_at !== undefined && distance(own, facts.started_at) > SKEW_MS)
  );
}

/** Only where the first start is known, none that ended before it can be an earlier one. */
function ofThisJob(rows: readonly SacctRow[], starts: KnownStarts): SacctRow[] {
  return rows.filter(({ facts }) => !isBefore(facts.ended_at, starts.firstWord(0)));
}

function isBefore(end: string | undefined, first: string | undefined): boolean {
  return end !== undefined && first !== undefined && Date.parse(end) < Date.parse(first) - SKEW_MS;
}

function distance(one: string, other: string): number {
  return Math.abs(Date.parse(one) - Date.parse(other));
}

/** The accounting may lack starts, so that their order alone says nothing. What cannot be told is left out. */
function restartsOf(
  rows: readonly SacctRow[],
  squeue: SqueueRow | undefined,
  starts: KnownStarts,
): [SacctRow, number][] {
  const anchors = anchorsOf(rows, squeue, starts);
  const told = anchors.size > 0 ? anchors : anchorByCount(rows, squeue, starts);
  const found: [SacctRow, number][] = [];
  for (const [index, row] of rows.entries()) {
    const restart = told.get(index) ?? between(index, told);
    if (restart !== undefined) found.push([row, restart]);
  }
  return found;
}

/** Index of a row -> the restart that began, or was submitted, when the row says so. */
function anchorsOf(
  rows: readonly SacctRow[],
  squeue: SqueueRow | undefined,
  starts: KnownStarts,
): Map<number, number> {
  const anchors = new Map<number, number>();
  const restarts = [...new Set([...starts.restarts, ...(squeue === undefined ? [] : [squeue.restart])])];
  for (const field of ['started_at', 'submitted_at'] as const) {
    for (const restart of restarts.toSorted((a, b) => a - b)) {
      const now = squeue?.restart === restart ? squeue.facts[field] : undefined;
      const times = [...starts.times(restart, field), ...(now === undefined ? [] : [now])];
      const index = rows.findIndex(({ facts }, at) => {
        const time = facts[field];
        if (time === undefined || anchors.has(at) || !isInOrder(at, restart, anchors)) return false;
        return times.some((known) => distance(known, time) <= SAME_MS);
      });
      if (index !== -1) anchors.set(index, restart);
    }
  }
  return anchors;
}

function isInOrder(index: number, restart: number, anchors: ReadonlyMap<number, number>): boolean {
  return [...anchors].every(([at, other]) => other !== restart && at < index === other < restart);
}

/** Without times: from the end by squeue's count, else from the front if none can be lacking. */
function anchorByCount(
  rows: readonly SacctRow[],
  squeue: SqueueRow | undefined,
  starts: KnownStarts,
): Map<number, number> {
  const last = rows.at(-1);
  if (last === undefined) return new Map();
  if (squeue === undefined) {
    return rows.length > Math.max(...starts.restarts) ? new Map([[0, 0]]) : new Map();
  }
  const word = stateWord(squeue.facts.state);
  // of a start that goes on sacct may not have heard yet
  const isEarlier =
    isEndState(last.facts.state) && word !== 'COMPLETING' && word !== stateWord(last.facts.state);
  const isLater =
    isEarlier && squeue.restart > 0 && (!isEndState(squeue.facts.state) || mayStartAgain(last.facts.state));
  return new Map([[rows.length - 1, isLater ? squeue.restart - 1 : squeue.restart]]);
}

/** Of a row between, before or after rows whose restarts are known. */
function between(index: number, anchors: ReadonlyMap<number, number>): number | undefined {
  const sorted = [...anchors].toSorted(([a], [b]) => a - b);
  const before = sorted.findLast(([at]) => at < index);
  const after = sorted.find(([at]) => at > index);
  const fromBefore = before === undefined ? undefined : before[1] + index - before[0];
  const fromAfter = after === undefined ? undefined : after[1] - (after[0] - index);
  if (fromBefore === undefined || fromAfter === undefined) return fromBefore ?? fromAfter;
  return fromBefore === fromAfter ? fromBefore : undefined;
}
