// The kinds of work that are disturbed, and the next process after each.
import { expect } from 'vitest';
import { ProjectorLock } from '../../src/db/lock.ts';
import { rebuild } from '../../src/projector/rebuild.ts';
import { TimedStorage } from '../../src/projector/timed-storage.ts';
import { verify } from '../../src/projector/verify.ts';
import { watch } from '../../src/projector/watch.ts';
import type { GivenFile } from '../helpers/lines.ts';
import { LEDGER } from '../helpers/memory-storage.ts';
import { expectExplained, type Desk } from './desk.ts';
import { waiting } from './faster-clock.ts';
import { LOG } from './files.ts';

/** Whether calls go on failing, and how to end that. */
export interface Disturbance {
  isOnce: boolean;
  end: () => void;
}

export interface Work {
  /** What the log has when it is done. */
  files: readonly GivenFile[];
  /** What the log had when the database was made; undefined: there is none. */
  before?: readonly GivenFile[];
  work: (desk: Desk, disturbance: Disturbance) => Promise<unknown>;
  /** What the next process does. */
  again?: (desk: Desk) => Promise<unknown>;
}

export async function sync(desk: Desk): Promise<void> {
  using open = desk.open();
  await open.projector.pass({ thorough: true });
}

/** One to bring back a file that could not be read, one to look at its holes. */
async function syncTwice(desk: Desk): Promise<void> {
  await sync(desk);
  await sync(desk);
}

/** Once more with the same projector and what it has in memory, as `watch` goes on. */
async function syncOn(desk: Desk): Promise<void> {
  using open = desk.open();
  await open.projector
    .pass({ thorough: true })
    .catch((error: unknown) => expectExplained(error, 'the first pass'));
  await open.projector.pass({ thorough: true });
}

export async function rebuildIt(desk: Desk): Promise<void> {
  using _ = ProjectorLock.acquire(desk.file, { host: 'h', pid: 1, since: '', purpose: 'rebuild' });
  await rebuild(desk.file, { ledger: LEDGER, storage: desk.storage, clock: desk.clock });
}

async function verifyIt(desk: Desk): Promise<void> {
  const report = await verify(desk.file, { ledger: LEDGER, storage: desk.storage, clock: desk.clock });
  // it may fail, but not say what is not so
  expect(report.differences).toEqual([]);
}

/** Says its trouble once, and goes on by itself when that is over. */
async function watchIt(desk: Desk, disturbance: Disturbance): Promise<void> {
  const open = desk.open();
  const ending = new AbortController();
  const said: unknown[] = [];
  let waited = 0;
  const storage = new TimedStorage(desk.storage, desk.clock);
  waiting.onWait = (ms) => {
    desk.clock.nowMs += ms;
    waited += 1;
    if (!disturbance.isOnce && said.length > 0 && waited > 4) disturbance.end();
    if (waited > 8 && said.length % 2 === 0) ending.abort();
    if (waited > 100) ending.abort();
  };
  try {
    await watch(open.projector, storage, {
      root: desk.dir,
      clock: desk.clock,
      signal: ending.signal,
      isOnNetwork: false,
      onTrouble: (trouble) => said.push(trouble),
    });
  } finally {
    waiting.onWait = undefined;
    open.close();
  }
  // a file that cannot be read is a state of that file: it is no trouble of the whole
  if (said.length > 0) expect(said, 'trouble, then that it is over').toEqual([expect.any(Error), undefined]);
}

export const WORKS: Record<string, Work> = {
  'a first sync': { files: LOG.FIRST, work: sync },
  'a sync of files that have grown': { before: LOG.FIRST, files: LOG.GROWN, work: syncOn },
  'a hole that has filled': { before: LOG.GROWN, files: LOG.FILLED, work: syncOn, again: syncTwice },
  'a rebuild': { before: LOG.FIRST, files: LOG.GROWN, work: rebuildIt },
  verify: { before: LOG.GROWN, files: LOG.GROWN, work: verifyIt },
  watch: { before: LOG.FIRST, files: LOG.GROWN, work: watchIt },
};
