// A ledger of real files that a `runfold watch` follows, and what can be seen of its database meanwhile.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { openReadOnly, type Db } from '../../src/db/open.ts';
import { tempDir } from '../events/temp-dir.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';
import type { GivenFile } from '../helpers/lines.ts';
import { runCliProcess, startCli, type Ended, type Started, type StartOptions } from './cli-process.ts';
import { until } from './until.ts';

export class Followed {
  readonly ledger: TempLedger;
  readonly db: string = path.join(tempDir(), 'runs.db');
  readonly args: readonly string[];
  #reader: Db | undefined;

  constructor(...files: GivenFile[]) {
    this.ledger = new TempLedger(...files);
    this.args = ['--ledger', this.ledger.root, '--db', this.db];
  }

  /** Starts `runfold watch`; resolves when it follows. */
  async watch(flags: readonly string[] = [], options: StartOptions = {}): Promise<Started> {
    const started = startCli(['watch', ...flags, ...this.args], options);
    await started.says('following');
    return started;
  }

  async run(...command: string[]): Promise<Ended> {
    return await runCliProcess([...command, ...this.args]);
  }

  async runJson(...command: string[]): Promise<unknown> {
    const { stdout } = await this.run(...command, '--json');
    return JSON.parse(stdout);
  }

  /** Findings of `runfold doctor` as the watch has left the database. */
  async findings(): Promise<{ kind: string; where: string; what: string }[]> {
    const { stdout } = await this.run('doctor', '--json', '--no-sync');
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as { kind: string; where: string; what: string });
  }

  /** A connection that stays open, as that of somebody who looks on. */
  get reader(): Db {
    if (this.#reader === undefined) {
      const db = openReadOnly(this.db);
      onTestFinished(() => {
        db.close();
      });
      this.#reader = db;
    }
    return this.#reader;
  }

  number(sql: string): number {
    return Number(this.reader.prepare(sql).pluck().get());
  }

  get points(): number {
    return this.number('SELECT count(*) FROM run_metrics');
  }

  async untilPoints(count: number): Promise<void> {
    await until('there is a database', () => existsSync(this.db) && statSync(this.db).size > 0);
    await until(`there are ${count} points`, () => this.points >= count);
  }

  get walBytes(): number {
    return statSync(`${this.db}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }
}
