// A ledger of real files in a directory of its own, for what the file system has a say in.
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { IN_MEMORY, openForWriting, type Db } from '../../src/db/open.ts';
import { createLedger, type LedgerInfo } from '../../src/events/ledger.ts';
import { Projector, type PassOptions } from '../../src/projector/projector.ts';
import type { PassResult } from '../../src/projector/pass-result.ts';
import { DirectoryStorage } from '../../src/projector/storage.ts';
import { Outcome } from './given.ts';
import type { GivenFile } from './lines.ts';

export class TempLedger {
  readonly root: string = fs.mkdtempSync(path.join(os.tmpdir(), 'runfold-ledger-'));
  readonly info: LedgerInfo = createLedger(this.root);
  readonly storage: DirectoryStorage = new DirectoryStorage(this.root);
  /** Milliseconds by which the clock is ahead of the machine's. */
  aheadMs = 0;
  /** Where the clock stands still. */
  nowMs: number | undefined;
  readonly clock: Clock = { now: () => (this.nowMs ?? Date.now()) + this.aheadMs };
  readonly db: Db = openForWriting(IN_MEMORY);
  projector: Projector = new Projector(this.db, this.info, this.storage, this.clock);

  constructor(...files: GivenFile[]) {
    onTestFinished(() => {
      this.db.close();
      fs.rmSync(this.root, { recursive: true, force: true });
    });
    this.add(...files);
  }

  path(relative: string): string {
    return path.join(this.root, relative);
  }

  add(...files: GivenFile[]): void {
    for (const { path: relative, bytes } of files) this.write(relative, bytes);
  }

  write(relative: string, bytes: Buffer | string): void {
    fs.mkdirSync(path.dirname(this.path(relative)), { recursive: true });
    fs.writeFileSync(this.path(relative), bytes);
  }

  append(relative: string, bytes: Buffer | string): void {
    fs.appendFileSync(this.path(relative), bytes);
  }

  /** Writes over bytes that are there. */
  overwrite(relative: string, offset: number, bytes: Buffer | string): void {
    const fd = fs.openSync(this.path(relative), 'r+');
    fs.writeSync(fd, Buffer.from(bytes), 0, Buffer.byteLength(bytes), offset);
    fs.closeSync(fd);
  }

  read(relative: string): Buffer {
    return fs.readFileSync(this.path(relative));
  }

  remove(relative: string): void {
    fs.rmSync(this.path(relative));
  }

  /** One thorough pass, unless told otherwise. */
  async pass(options: PassOptions = { thorough: true }): Promise<Outcome> {
    return this.outcome(await this.projector.pass(options));
  }

  outcome(result?: PassResult): Outcome {
    return new Outcome(this.db, this.projector, result?.strangers);
  }

  /** Another process takes over. */
  restart(): void {
    this.projector = new Projector(this.db, this.info, this.storage, this.clock);
  }

  /** A database made anew from the files as they are. */
  async rebuilt(): Promise<Outcome> {
    const db = openForWriting(IN_MEMORY);
    onTestFinished(() => {
      db.close();
    });
    const projector = new Projector(db, this.info, this.storage, this.clock);
    const { strangers } = await projector.pass({ thorough: true });
    return new Outcome(db, projector, strangers);
  }
}
