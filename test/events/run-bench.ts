// Runs in this process, on a ledger of their own, and what they wrote.
import path from 'node:path';
import { expect } from 'vitest';
import { createLedger } from '../../src/events/ledger.ts';
import type { Event } from '../../src/events/event.ts';
import type { Metrics, Position } from '../../src/events/metric-fields.ts';
import { RunLogger } from '../../src/run-logger.ts';
import type { RunOptions } from '../../src/events/run-options.ts';
import { readOnlyFile } from './read-lines.ts';
import { tempDir } from './temp-dir.ts';

let nextSeed = 0;

/** A seed that no other run of this test file has. */
export function freshSeed(): number {
  return (nextSeed += 1);
}

export interface Bench {
  dir: string;
  ledger: string;
  said: string[];
  /** A run of its own, unless a seed is given. */
  create(options?: RunOptions, env?: Record<string, string>): RunLogger;
  /** All events so far but the header. */
  events(): Event[];
  of(type: Event['type']): Record<string, unknown>[];
}

/** Runs in this process, on a ledger of their own. */
export function bench(): Bench {
  const dir = tempDir();
  const ledger = createLedger(path.join(dir, 'ledger')).path;
  const said: string[] = [];
  const events = (): Event[] => {
    const read = readOnlyFile(ledger);
    expect(read.rejected).toEqual([]);
    return read.events.slice(1);
  };
  return {
    dir,
    ledger,
    said,
    create(options = {}, env = {}) {
      const surroundings = {
        env: { TMPDIR: dir, USER: 'ada', ...env },
        cwd: dir,
        argv: ['/usr/bin/node', '/jobs/train.mjs', '--lr', '0.1 0'],
      };
      return RunLogger.create(
        { ledger, seed: freshSeed(), ...options },
        { ...surroundings, say: (line) => said.push(line) },
      );
    },
    events,
    of: (type) => events().filter((event) => event.type === type),
  };
}

/** Calls every method that takes something with `value`. */
export function useWith(run: RunLogger, value: unknown): void {
  run.log(value as Metrics);
  run.log({ loss: 1, odd: value as number }, value as Position);
  run.log(
    { loss: value as number, extra: value as Record<string, number> },
    { epoch: value as number, step: value as number },
  );
  run.logError(value);
  run.logError(Object.assign(new Error('e'), { cause: value, name: value, stack: value, message: value }));
  run.logResults(value as Record<string, unknown>);
  run.logResults({ value });
  run.logSample(value as Record<string, number>);
  run.logSample({ cpu_percent: value as number });
  run.setStatus(value as 'running');
  run.setStatus('running', { exitCode: value as number, reason: value as string });
  run.flush();
}
