import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fault } from './fake-disk.ts';
import { numbersTo, readLines, seqsOf } from './read-lines.ts';
import { failing, IN_LEDGER, IN_SPOOL, World } from './writer-world.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const errno = fc.constantFrom('ENOSPC', 'EDQUOT', 'EIO', 'ESTALE', 'EACCES', 'EINTR');
const fault: fc.Arbitrary<Fault | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.record({ landed: fc.nat(400) }) },
  { weight: 2, arbitrary: fc.record({ code: errno, landed: fc.nat(400) }) },
  { weight: 2, arbitrary: fc.record({ code: fc.constantFrom('EIO', 'ESTALE'), loses: fc.boolean() }) },
);

type Action =
  | { kind: 'append'; urgency: 'now' | 'soon'; size: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'flush' }
  | { kind: 'ledger'; isThere: boolean };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      urgency: fc.constantFrom('now' as const, 'soon' as const),
      size: fc.nat(300),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 400, 1000, 1001, 6000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ledger' as const), isThere: fc.boolean() }) },
);
const actions = fc.array(action, { minLength: 1, maxLength: 40 });
const faults = fc.array(fault, { maxLength: 60 });

/** Returns how many events were appended. */
function perform(
  world: World,
  todo: readonly Action[],
  onDurable: (count: number) => void = () => {},
): number {
  let count = 0;
  for (const act of todo) {
    if (act.kind === 'append') {
      count += 1;
      const isTaken = world.writer.append(world.metric(count, { note: 'x'.repeat(act.size) }), act.urgency);
      expect(isTaken).toBe(true);
    } else if (act.kind === 'pass') world.pass(act.ms);
    else if (act.kind === 'ledger') world.disk.hasLedger = act.isThere;
    else if (world.writer.flush()) onDurable(count);
  }
  return count;
}

describe('whatever fails', () => {
  it('brings every event in exactly once, if the ledger recovers', () => {
    fc.assert(
      fc.property(actions, faults, (todo, ledgerFaults) => {
        const world = new World();
        failing(world.disk, IN_LEDGER, ledgerFaults);
        const count = perform(world, todo);
        world.disk.fault = () => undefined;
        world.disk.hasLedger = true;
        world.writer.close();

        const read = world.inLedger();
        expect(read.tail).toBe(0);
        expect(seqsOf(read)).toEqual(count === 0 ? [] : numbersTo(count + 2));
        expect(read.events[0]?.type).toBe(count === 0 ? undefined : 'writer_opened');
        expect(world.disk.bytesOf(IN_SPOOL)).toHaveLength(0);
        expect(world.writer.status).toMatchObject({ isFailing: false, spooled: 0, lost: 0 });
        expect(world.disk.openFiles).toBe(0);
      }),
      { numRuns: 1500 },
    );
  });

  it('keeps what the ledger does not take in the spool, and the printed mend brings it in', () => {
    fc.assert(
      fc.property(actions, faults, errno, fc.nat(300), (todo, ledgerFaults, code, landed) => {
        const world = new World();
        failing(world.disk, IN_LEDGER, ledgerFaults, { code, landed });
        const count = perform(world, todo);
        world.writer.close();

        const read = world.mended();
        expect(read.tail).toBe(0);
        expect(seqsOf(read).toSorted((a, b) => a - b)).toEqual(count === 0 ? [] : numbersTo(count + 2));
        expect(read.events[0]?.type).toBe(count === 0 ? undefined : 'writer_opened');
        expect(world.disk.openFiles).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1500 },
    );
  });

  it('counts exactly what it drops when buffer and spool are full', () => {
    fc.assert(
      fc.property(actions, fc.nat(3000), fc.nat(3000), (todo, bufferBytes, spoolBytes) => {
        const world = new World({ bufferBytes, spoolBytes });
        failing(world.disk, IN_LEDGER, [], { code: 'EIO' });
        const count = perform(world, todo);
        world.writer.close();

        const appended = count === 0 ? 0 : count + 2;
        expect(world.mended().events.length + world.writer.status.lost).toBe(appended);
      }),
      { numRuns: 1000 },
    );
  });

  it('never loses an event uncounted, even if the spool fails too', () => {
    // a failed write may have put in what it is then counted for, so that more can be counted than is missing
    const spoolFault = fault.map((one) => (one?.loses === undefined ? one : { code: 'EIO' }));
    fc.assert(
      fc.property(
        actions,
        faults,
        fc.array(spoolFault),
        fc.nat(3000),
        (todo, ledgerFaults, spoolFaults, bufferBytes) => {
          const world = new World({ bufferBytes });
          failing(world.disk, IN_LEDGER, ledgerFaults, { code: 'EIO' });
          failing(world.disk, IN_SPOOL, spoolFaults);
          const count = perform(world, todo);
          world.writer.close();

          const appended = count === 0 ? 0 : count + 2;
          expect(world.mended().events.length + world.writer.status.lost).toBeGreaterThanOrEqual(appended);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('has on the disk whatever was there when flush() returned true', () => {
    fc.assert(
      fc.property(actions, faults, (todo, ledgerFaults) => {
        const world = new World();
        failing(world.disk, IN_LEDGER, ledgerFaults);
        perform(world, todo, (count) => {
          const durable = readLines(world.disk.durableBytesOf(IN_LEDGER));
          expect(seqsOf(durable)).toEqual(count === 0 ? [] : numbersTo(count + 1));
        });
        vi.clearAllTimers();
      }),
      { numRuns: 1000 },
    );
  });
});
