// Every SQL statement of every kind of work fails once, and from then on: the next process comes to the same tables.
import { beforeEach, expect, test, vi } from 'vitest';
import { storageOf } from './files.ts';
import { faults, openConnections, type Fault } from './faulty-database.ts';
import { sweep } from './sweep.ts';
import { WORKS } from './works.ts';

vi.mock('better-sqlite3', async () => ({ default: (await import('./faulty-database.ts')).FaultyDatabase }));
vi.mock('node:timers/promises', async (original) => {
  const { fasterClock } = await import('./faster-clock.ts');
  return fasterClock(await original());
});

/** All kinds of errors at every statement, not one each: minutes, in place of seconds. */
const ALL = process.env['RUNFOLD_FAULTS'] === 'all';

const STATEMENT: Fault[] = [
  { code: 'SQLITE_FULL', effect: 'rolled back' },
  { code: 'SQLITE_IOERR_WRITE', effect: 'refused' },
  { code: 'SQLITE_BUSY', effect: 'refused' },
  { code: 'SQLITE_IOERR_READ', effect: 'rolled back' },
];
const COMMIT: Fault[] = [
  { code: 'SQLITE_BUSY', effect: 'refused' },
  { code: 'SQLITE_FULL', effect: 'rolled back' },
  { code: 'SQLITE_IOERR_FSYNC', effect: 'done' },
];

/** The end of a transaction fails in each way; of the others two neighbours never in the same one. */
function faultsOf(call: string | undefined, k: number, isOnce: boolean): readonly Fault[] {
  if (call === 'COMMIT') return COMMIT;
  return ALL ? STATEMENT : [STATEMENT[(k + (isOnce ? 0 : 1)) % STATEMENT.length]!];
}

beforeEach(() => {
  // of a test that has failed
  for (const db of openConnections) db.close();
});

test.each(Object.entries(WORKS))('%s, with each statement failing', async (_, work) => {
  const statements = await sweep(work, {
    plan: faults,
    faultsOf,
    storageOf: (files) => storageOf(files),
    // a transaction that took effect and says that it did not leaves nothing but a new start
    mayBeConfused: ({ effect }) => effect === 'done',
    check: (what) => expect(openConnections.size, `left open after ${what}`).toBe(0),
  });
  expect(statements).toBeGreaterThan(60);
});
