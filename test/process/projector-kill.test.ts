// A projector that is killed at any moment leaves a database from which the next one goes on to the same tables.
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { tempDir } from '../events/temp-dir.ts';
import { writeBigLedger, type BigLedger } from './big-ledger.ts';
import { runCliProcess, startCli, startScript, writeScript, type Started } from './cli-process.ts';
import { Random, seedOfThisRun } from './random.ts';
import { compareWith, EQUAL, hashOf } from './tables-hash.ts';
import { until } from './until.ts';
import { isThorough } from '../helpers/thorough.ts';

const SEED = seedOfThisRun();
/** Until a process that was just started has made something, on a machine that is busy. */
const SLOW_MS = 90_000;
const TRIALS = isThorough ? 30 : 12;
const AT_ONCE = 2;

/** `sync` commits a few large transactions; this one commits after each file, in an order of its own. */
const FILE_BY_FILE = `
const [ledger, db, seed] = process.argv.slice(2);
const open = OpenProjector.open(await locate({ ledger, db }), 'sync');
const { files } = await new DirectoryStorage(ledger).list();
const order = files.map((file, index) => [(index * 7919 + Number(seed)) % files.length, file]).sort(([a], [b]) => a - b);
for (const [, file] of order) await open.projector.pass({ only: [file] });
await open.projector.pass({ thorough: true });
open.close();
`;

interface Way {
  name: string;
  start(db: string): Started;
  /** From the moment that the file is there, undisturbed. */
  durationMs: number;
}

test(`killed ${TRIALS} times and more, the tables are those of an undisturbed pass (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  const dir = tempDir();
  const ledger = writeBigLedger(path.join(dir, 'ledger'), { events: 100_000, writers: 96 }, random);
  const library = { 'projector/index.js': 'OpenProjector, locate, DirectoryStorage' };
  const script = writeScript(dir, library, FILE_BY_FILE);
  const bySync: Way = {
    name: 'sync', durationMs: 0,
    start: (db) => startCli(['sync', '--ledger', ledger.root, '--db', db]),
  }; // prettier-ignore
  const byFile: Way = {
    name: 'file by file', durationMs: 0,
    start: (db) => startScript(script, [ledger.root, db, String(random.below(1000))]),
  }; // prettier-ignore

  const reference = path.join(dir, 'by-sync.db');
  await undisturbed(bySync, reference);
  const other = path.join(dir, 'by-file.db');
  await undisturbed(byFile, other);
  expect(hashOf(other)).toBe(hashOf(reference));
  expectOneChangeToBeSeen(reference, other);

  const trials = Array.from({ length: TRIALS }, (_, index) => ({
    db: path.join(dir, `trial-${index}.db`),
    way: index % 2 === 0 ? bySync : byFile,
    // spread over the whole duration; every fifth database is hit three times
    moments: Array.from({ length: index % 5 === 4 ? 3 : 1 }, () => (index + random.next()) / TRIALS),
  }));
  const left: number[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let trial = trials.shift(); trial !== undefined; trial = trials.shift()) {
        for (const moment of trial.moments) await killAt(moment, trial.way, trial.db);
        left.push(await finish(trial.db, ledger));
        const compared = compareWith(reference, trial.db);
        expect(compared, `${trial.way.name}, killed at ${trial.moments.join(', ')}`).toEqual(EQUAL);
        rmSync(trial.db);
      }
    }),
  );
  expect(left).toHaveLength(TRIALS);
  const midway = left.filter((events) => events > 0 && events < ledger.events);
  // else this has killed before or after the work alone, and proven nothing
  expect(midway.length, `events left after the kills: ${left.join(', ')}`).toBeGreaterThan(TRIALS / 6);
}, 600_000);

async function undisturbed(way: Way, db: string): Promise<void> {
  const process = way.start(db);
  await until('there is a database', () => existsSync(db), SLOW_MS);
  const since = performance.now();
  expect(await process.ended).toMatchObject({ code: 0, stderr: '' });
  way.durationMs = performance.now() - since;
}

/** A comparison that sees nothing would let everything pass. */
function expectOneChangeToBeSeen(reference: string, other: string): void {
  const changed = `${other}-changed`;
  copyFileSync(other, changed);
  const db = new Database(changed);
  db.exec(
    'UPDATE run_metrics SET f1 = f1 + 1e-9 WHERE seq = 9 AND writer = (SELECT max(writer) FROM run_metrics)',
  );
  db.close();
  expect(compareWith(reference, changed)).toEqual({ integrity: 'ok', unequal: { run_metrics: 2 } });
}

async function killAt(moment: number, way: Way, db: string): Promise<void> {
  const isFirst = !existsSync(db);
  const process = way.start(db);
  // the lock file is there from the first kill on
  if (isFirst) await until('there is a database', () => existsSync(db) || process.hasEnded, SLOW_MS);
  await sleep(moment * way.durationMs);
  await process.destroy();
}

/** Runs to the end what was killed; returns how many events were left to do. */
async function finish(db: string, ledger: BigLedger): Promise<number> {
  const { code, stdout, stderr } = await runCliProcess([
    'sync',
    '--json',
    '--ledger',
    ledger.root,
    '--db',
    db,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return (JSON.parse(stdout) as { events: number }).events;
}
