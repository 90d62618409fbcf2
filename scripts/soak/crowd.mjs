// Many writers in one process, each with a file of its own, as a node full of jobs: most of them silent, all alive.
//
//   node scripts/soak/crowd.mjs LEDGER WRITERS SEED ACKNOWLEDGED
//
// What an fsync has returned for is noted in the file ACKNOWLEDGED as `<run_id> <writer> <seq> <type>`.
import * as fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import { builtModule, Random } from './lib.mjs';

const { runId } = await builtModule('logger.js');
const { eventFilePath } = await builtModule('events/layout.js');

const [ledger, count, seed, acknowledged] = process.argv.slice(2);
const random = new Random(Number(seed));
/** Between two points of one writer, at random. */
const GAP_MS = { least: 20_000, most: 60_000 };
/** Points of a run. */
const POINTS = { least: 3, most: 12 };

class Writer {
  constructor(startMs) {
    this.nextMs = startMs;
    this.begin();
  }

  begin() {
    this.key = {
      experiment_number: 1,
      dataset: 'soak',
      method: 'crowd',
      subject: null,
      cl_info: null,
      seed: random.below(2 ** 48),
    };
    this.runId = runId(this.key);
    this.writer = ulid();
    const origin = `crowd-${process.pid}`;
    this.file = path.join(ledger, eventFilePath(this.writer, origin));
    this.points = POINTS.least + random.below(POINTS.most - POINTS.least);
    this.step = 0;
    this.seq = 0;
    this.waiting = [];
    this.isMade = false;
    this.isTorn = false;
    const { writer } = this;
    const client = { name: 'soak', version: '1' };
    this.add({
      type: 'writer_opened',
      format: 1,
      writer,
      origin,
      host: 'soak',
      pid: process.pid,
      user: 'soak',
      client,
    });
    this.add({ type: 'run_created', run_id: this.runId, ...this.key });
    this.add({ type: 'status_changed', run_id: this.runId, status: 'running' });
  }

  add(event) {
    this.seq += 1;
    const { type, ...rest } = event;
    const text = JSON.stringify({ type, ts: new Date().toISOString(), seq: this.seq, ...rest });
    this.waiting.push({ type, seq: this.seq, text });
  }

  /** One more point, or the end. Without the log all of it waits, as in any client. */
  act() {
    this.step += 1;
    const isEnd = this.step > this.points;
    // what has been said waits since the log is away
    const isSaid = this.step > this.points + 1;
    if (isEnd && !isSaid) {
      this.add({ type: 'status_changed', run_id: this.runId, status: 'completed', exit_code: 0 });
      this.add({ type: 'writer_closed', events: this.seq });
    } else if (!isEnd) {
      this.add({
        type: 'metric',
        run_id: this.runId,
        elapsed_seconds: this.step,
        step: this.step,
        loss: 1 / this.step,
      });
    }
    const isDone = this.deliver();
    if (isEnd && isDone) this.begin();
    this.nextMs = Date.now() + GAP_MS.least + random.below(GAP_MS.most - GAP_MS.least);
  }

  deliver() {
    try {
      // an unmounted file system must not get a file
      fs.accessSync(path.join(ledger, 'ledger.json'));
      if (!this.isMade) this.makeFolder();
      const fd = fs.openSync(this.file, this.isMade ? 'a' : 'ax');
      this.isMade = true;
      try {
        const bytes = `${this.isTorn ? '\n' : ''}${this.waiting.map(({ text }) => `${text}\n`).join('')}`;
        this.isTorn = true;
        if (fs.writeSync(fd, bytes) < Buffer.byteLength(bytes)) return false;
        fs.fsyncSync(fd);
        this.isTorn = false;
      } finally {
        fs.closeSync(fd);
      }
    } catch {
      // the log is away: the lines wait for the next time
      return false;
    }
    const lines = this.waiting.map(({ type, seq }) => `${this.runId} ${this.writer} ${seq} ${type}\n`);
    this.waiting = [];
    fs.appendFileSync(acknowledged, lines.join(''));
    return true;
  }

  makeFolder() {
    try {
      fs.mkdirSync(path.dirname(this.file));
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

const now = Date.now();
const writers = Array.from({ length: Number(count) }, () => new Writer(now + random.below(GAP_MS.least)));
process.once('SIGTERM', () => process.exit(0));
for (;;) {
  for (const writer of writers) if (writer.nextMs <= Date.now()) writer.act();
  await sleep(50);
}
