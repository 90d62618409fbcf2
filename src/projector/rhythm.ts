// When a live file is looked at next: soon after its next line is expected, ever less often while it is silent. Pure.
import { PACE } from './pace.ts';

/** What looks at one file have taught. All in milliseconds. */
export interface Rhythm {
  /** The last look, and the last growth that began a stretch of writing, by this machine's clock. */
  lookedAt: number;
  grewAt: number;
  /** When that growth was written, by the storage's clock: gaps are differences of these. */
  writtenAt: number;
  /** From one growth to the next; the newest last, at most GAPS. Empty until the file has grown under our eyes. */
  gaps: readonly number[];
  /** As many lines come with one write, at the least. */
  fewestLines: number;
}

export interface Seen {
  now: number;
  mtimeMs: number;
  /** New ones. */
  lines: number;
}

const GAPS = 4;
/** Gaps of more than so many times the least are pauses, not the rhythm. */
const PAUSE = 4;
/** What was the least grows by this with each growth that is more. */
const FORGETTING = 1.1;
/** While the next line is due the file is looked at so many times, if its lines are no more regular than that. */
const LOOKS_WHILE_DUE = 16;
/** A silent file is looked at after this part of its silence. */
const SILENCE = 8;

/** What is known after a look; `before` is undefined for a file that has not been looked at. */
export function seen(before: Rhythm | undefined, { now, mtimeMs, lines }: Seen): Rhythm {
  if (before === undefined) {
    return {
      lookedAt: now,
      grewAt: Math.min(now, mtimeMs),
      writtenAt: mtimeMs,
      gaps: [],
      fewestLines: Infinity,
    };
  }
  if (lines === 0) return { ...before, lookedAt: now };
  // fewer lines than ever are one write; more may be several, or the writer writes more at once than it did
  const fewestLines = Math.min(lines, before.fewestLines * FORGETTING);
  const writes = Math.max(1, Math.round(lines / Math.min(lines, before.fewestLines)));
  const since = mtimeMs - before.writtenAt;
  // the clock was set back, or somebody set the time of the file
  if (since < 0) return { lookedAt: now, grewAt: now, writtenAt: mtimeMs, gaps: [], fewestLines };
  // lines that come together count as one
  if (since < PACE.firstLook) return { ...before, lookedAt: now, fewestLines };
  const gap = Math.max(PACE.firstLook, since / writes);
  return {
    lookedAt: now,
    // the two clocks may differ, but what was not there at the last look was written after it
    grewAt: Math.min(now, Math.max(before.lookedAt, mtimeMs)),
    writtenAt: mtimeMs,
    gaps: [...before.gaps.slice(1 - GAPS), gap],
    fewestLines,
  };
}

/** When the file is looked at next: PACE.soonAfter to PACE.slowestLook after `now`. */
export function nextLookAt(rhythm: Rhythm, now: number): number {
  const { gaps, grewAt } = rhythm;
  const silentMs = Math.max(0, now - grewAt);
  if (gaps.length < 2) return silentLookAt(now, silentMs);
  const least = Math.min(...gaps);
  if (silentMs < least) return now + Math.min(PACE.slowestLook, least - silentMs + PACE.soonAfter);
  const most = Math.max(...gaps.filter((gap) => gap <= least * PAUSE));
  const step = Math.max(PACE.firstLook, (most - least) / LOOKS_WHILE_DUE);
  if (silentMs <= most + step) return now + Math.min(PACE.slowestLook, step);
  return silentLookAt(now, Math.max(step * SILENCE, silentMs - most));
}

/** The same for a file whose rhythm is not known, or where part of a line is there. */
export function silentLookAt(now: number, silentMs: number): number {
  const wait = Math.min(PACE.slowestLook, Math.max(PACE.firstLook, silentMs / SILENCE));
  // somewhat earlier, so that many silent files are looked at in one pass
  const together = 2 ** Math.floor(Math.log2(wait / SILENCE));
  return now + wait - ((now + wait) % together);
}
