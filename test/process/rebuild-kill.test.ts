// A rebuild or a verify that is killed leaves the database as it was, and the next one clears up after it.
import Database from 'better-sqlite3';
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { tempDir } from '../events/temp-dir.ts';
import { writeBigLedger } from './big-ledger.ts';
import { runCliProcess, startCli } from './cli-process.ts';
import { Random, seedOfThisRun } from './random.ts';
import { compareWith, EQUAL } from './tables-hash.ts';
import { until } from './until.ts';
import { isThorough } from '../helpers/thorough.ts';

const SEED = seedOfThisRun();
const KILLS = isThorough ? 10 : 5;

class Killed {
  readonly dir: string = tempDir();
  readonly db: string = path.join(this.dir, 'live', 'runs.db');
  readonly before: string = path.join(this.dir, 'before.db');
  readonly after: string = path.join(this.dir, 'after.db');
  readonly random: Random = new Random(SEED);
  readonly args: readonly string[];

  constructor() {
    const ledger = writeBigLedger(
      path.join(this.dir, 'ledger'),
      { events: 20_000, writers: 30 },
      this.random,
    );
    this.args = ['--ledger', ledger.root, '--db', this.db];
  }

  /** `before` is a database that a rebuild would mend, `after` what it would make of it. */
  async prepare(): Promise<void> {
    await this.run('sync');
    copyFileSync(this.db, this.after);
    const db = new Database(this.db);
    db.exec("UPDATE experiment_runs SET notes = 'somebody was here'; DELETE FROM run_metrics WHERE seq = 50");
    db.close();
    copyFileSync(this.db, this.before);
  }

  async run(...command: string[]): Promise<void> {
    const { code, stderr } = await runCliProcess([...command, ...this.args]);
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
  }

  /** Files that a build in the making has. */
  builds(): string[] {
    return readdirSync(path.dirname(this.db)).filter((name) => /\.(?:build|verify)-/.test(name));
  }

  reset(): void {
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(this.db + suffix, { force: true });
    copyFileSync(this.before, this.db);
  }

  /** Until what the command builds is there, it has done nothing yet. */
  async start(...command: string[]): Promise<ReturnType<typeof startCli>> {
    const already = new Set(this.builds());
    const process = startCli([...command, ...this.args]);
    await until('it builds', () => process.hasEnded || this.builds().some((name) => !already.has(name)));
    return process;
  }

  async durationOf(...command: string[]): Promise<number> {
    const process = await this.start(...command);
    const since = performance.now();
    await process.ended;
    return performance.now() - since;
  }
}

test(`killed ${KILLS} times in the middle, a rebuild leaves the old database or the new (seed ${SEED})`, async () => {
  const killed = new Killed();
  await killed.prepare();
  const durationMs = await killed.durationOf('sync', '--rebuild');
  expect(compareWith(killed.after, killed.db)).toEqual(EQUAL);

  let leftOld = 0;
  for (let nth = 0; nth < KILLS; nth += 1) {
    killed.reset();
    const process = await killed.start('sync', '--rebuild');
    await sleep(((nth + killed.random.next()) / KILLS) * durationMs);
    await process.destroy();
    const old = compareWith(killed.before, killed.db);
    expect(old.integrity).toBe('ok');
    if (Object.keys(old.unequal).length > 0) expect(compareWith(killed.after, killed.db)).toEqual(EQUAL);
    else leftOld += 1;
  }
  // else it has been killed after the work alone
  expect(leftOld).toBeGreaterThan(0);
  expect(killed.builds().length).toBeLessThanOrEqual(3);
  await killed.run('sync', '--rebuild');
  expect(killed.builds()).toEqual([]);
  expect(compareWith(killed.after, killed.db)).toEqual(EQUAL);
}, 120_000);

test('what a verify that was killed has left is removed by the next one, and by a rebuild', async () => {
  const killed = new Killed();
  await killed.run('sync');
  for (const next of [['verify'], ['sync', '--rebuild']]) {
    const process = await killed.start('verify', '--no-sync');
    await process.destroy();
    expect(killed.builds().length).toBeGreaterThan(0);
    expect(await runCliProcess([...next, ...killed.args])).toMatchObject({ code: 0 });
    expect(killed.builds()).toEqual([]);
  }
});

test('a verify beside another one leaves that one alone', async () => {
  const killed = new Killed();
  await killed.run('sync');
  const both = await Promise.all([
    runCliProcess(['verify', '--no-sync', ...killed.args]),
    runCliProcess(['verify', '--no-sync', ...killed.args]),
  ]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(killed.builds()).toEqual([]);
});
