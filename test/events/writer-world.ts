// A writer on a fake disk, with clocks that a test turns.
import { vi } from 'vitest';
import { EventWriter, type EventInput, type EventWriterOptions } from '../../src/events/event-writer.ts';
import { FakeDisk, type Fault } from './fake-disk.ts';
import { readLines, type ReadLines } from './read-lines.ts';

export const RUN = '0123456789abcdef';
export const ENV = { TMPDIR: '/tmp', USER: 'ada' };
export const IN_LEDGER = '/ledger/events/';
export const IN_SPOOL = '/runfold-spool-';

/** Needs fake timers. */
export class World {
  readonly disk = new FakeDisk();
  readonly said: string[] = [];
  readonly writer: EventWriter;
  time = Date.UTC(2026, 10, 23, 10, 15, 0, 123);
  clock = 0;

  constructor(options: EventWriterOptions = {}) {
    this.writer = new EventWriter({
      ledger: '/ledger',
      env: ENV,
      io: this.disk,
      now: () => this.time,
      monotonic: () => this.clock,
      say: (line) => this.said.push(line),
      ...options,
    });
  }

  metric(step: number, more: object = {}): EventInput {
    return { type: 'metric', run_id: RUN, elapsed_seconds: step / 10, step, loss: 1 / (step + 1), ...more };
  }

  inLedger(): ReadLines {
    return readLines(this.disk.bytesOf(IN_LEDGER));
  }

  inSpool(): ReadLines {
    return readLines(this.disk.bytesOf(IN_SPOOL));
  }

  /** What the printed `cat SPOOL >> FILE` would make. */
  mended(): ReadLines {
    return readLines(Buffer.concat([this.disk.bytesOf(IN_LEDGER), this.disk.bytesOf(IN_SPOOL)]));
  }

  pass(ms: number): void {
    this.clock += ms;
    this.time += ms;
    vi.advanceTimersByTime(ms);
  }
}

/** Each call under `part` meets the next fault; after the last one all is well, or `after` for ever. */
export function failing(
  disk: FakeDisk,
  part: string,
  queue: readonly (Fault | undefined)[],
  after?: Fault,
): void {
  const left = [...queue];
  const before = disk.fault;
  disk.fault = (call, path) => {
    if (!path.includes(part) || call === 'close') return before(call, path);
    if (left.length === 0) return after;
    const next = left.shift();
    // a short write is nothing that another call can do
    return call === 'write' || next?.code !== undefined ? next : undefined;
  };
}
