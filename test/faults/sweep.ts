// For every k: a piece of work in which the k-th call fails, once or from then on; then the next process, and the
// tables must be those of work that nothing has disturbed.
import { setImmediate } from 'node:timers/promises';
import type { LedgerStorage } from '../../src/projector/storage.ts';
import type { GivenFile } from '../helpers/lines.ts';
import { Desk, expectExplained } from './desk.ts';
import type { FaultPlan } from './fault-plan.ts';
import { NOW_MS } from './files.ts';
import { sync, type Work } from './works.ts';

export interface Sweep<Fault> {
  plan: FaultPlan<Fault>;
  /** In which ways the k-th call fails; one that is not known yet too. */
  faultsOf: (call: string | undefined, k: number, isOnce: boolean) => readonly Fault[];
  storageOf: (files: readonly GivenFile[]) => LedgerStorage;
  /** Whether after this fault alone the process may not know what has happened. */
  mayBeConfused?: (fault: Fault) => boolean;
  /** What else must be true after the work, however it went. */
  check?: (what: string) => void;
}

/** @returns how many calls there were to fail. */
export async function sweep<Fault>(
  { before, files, work, again = sync }: Work,
  { plan, faultsOf, storageOf, mayBeConfused, check }: Sweep<Fault>,
): Promise<number> {
  let content: Buffer | undefined;
  if (before !== undefined) {
    const first = new Desk(storageOf(before), NOW_MS);
    await sync(first);
    content = first.content;
  }
  const desk = new Desk(storageOf(files), NOW_MS);
  const disturbance = { isOnce: true, end: () => plan.end() };

  desk.reset(content);
  plan.watch();
  await work(desk, disturbance);
  const calls = [...plan.calls];
  const expected = desk.dump();

  for (let k = 0; ; k += 1) {
    let isClean = true;
    for (const isOnce of [true, false]) {
      for (const fault of faultsOf(calls[k], k, isOnce)) {
        const what = `${JSON.stringify(fault)} ${isOnce ? 'at' : 'from'} ${k}: ${calls[k]}`;
        desk.reset(content);
        plan.begin(k, isOnce, fault);
        await work(desk, { ...disturbance, isOnce }).catch((error: unknown) => {
          if (mayBeConfused?.(fault) !== true) expectExplained(error, what);
        });
        plan.end();
        check?.(what);
        if (plan.hits === 0) continue;
        isClean = false;
        await again(desk);
        desk.expectSound(expected, what);
      }
    }
    // whoever ends the tests must be heard
    await setImmediate();
    if (isClean) return k;
  }
}
