// Which executions of a run there were, in what order, and which of them count.
import type { EventOf } from '../events/event.ts';
import { compareUtf8 } from './utf8-order.ts';

/** A non-metric event as `_events` keeps it. `host` and `user` come from the header of its file. */
export interface FoldEvent<T extends FoldedType = FoldedType> {
  writer: string;
  seq: number;
  attempt: string;
  event: EventOf<T>;
  host: string | null;
  user: string | null;
}
export type FoldedType = 'run_created' | 'status_changed' | 'result' | 'slurm_info' | 'run_annotated';

export interface Attempt {
  id: string;
  /** Goes on from a checkpoint. */
  resume: boolean;
  /** `ts` of its first `run_created`. */
  createdAt: string;
}

export function isOfType<T extends FoldedType>(type: T) {
  return (item: FoldEvent): item is FoldEvent<T> => item.event.type === type;
}

/** Order within one attempt, and among events of no attempt. */
export function compareByTime(a: FoldEvent, b: FoldEvent): number {
  return compareUtf8(a.event.ts, b.event.ts) || compareUtf8(a.writer, b.writer) || a.seq - b.seq;
}

/** A run's attempts in order: by the `ts` of their first `run_created`, then by id. */
export function attemptsOf(created: readonly FoldEvent<'run_created'>[]): Attempt[] {
  const firsts = new Map<string, FoldEvent<'run_created'>>();
  for (const item of created) {
    const first = firsts.get(item.attempt);
    if (first === undefined || compareByTime(item, first) < 0) firsts.set(item.attempt, item);
  }
  const attempts = [...firsts.values()].map(({ attempt, event }) => ({
    id: attempt,
    resume: event.resume ?? false,
    createdAt: event.ts,
  }));
  return attempts.toSorted((a, b) => compareUtf8(a.createdAt, b.createdAt) || compareUtf8(a.id, b.id));
}

/** Where the view begins: the last attempt that starts over, else the first. */
export function viewStart(attempts: readonly Attempt[]): number {
  return Math.max(
    0,
    attempts.findLastIndex((attempt) => !attempt.resume),
  );
}

/** Sorts by (attempt, ts, writer, seq); what belongs to no attempt comes last. */
export function inEventOrder<T extends FoldEvent>(items: readonly T[], attempts: readonly Attempt[]): T[] {
  const position = new Map(attempts.map((attempt, index) => [attempt.id, index]));
  const rank = (item: FoldEvent): number => position.get(item.attempt) ?? attempts.length;
  return items.toSorted((a, b) => rank(a) - rank(b) || compareByTime(a, b));
}
