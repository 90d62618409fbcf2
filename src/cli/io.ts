// What a command may touch, passed in so that tests can call it in process.
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { AskStorage } from '../projector/ask-storage.ts';
import type { EmitProgress } from './below.ts';
import { jsonSafe, printSafe } from './print-safe.ts';
import type { RecorderAhead } from './recorder-place.ts';

export interface CliIo {
  /** The command line after `runfold`. */
  args?: readonly string[];
  stdin: Readable;
  /** `columns` is the width of a terminal. */
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean };
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  clock: Clock;
  /** Aborted by SIGINT and SIGTERM. */
  signal: AbortSignal;
  /** Which of them has come. */
  readonly endedBy?: NodeJS.Signals | undefined;
  /** For `exec`. */
  recorder?: RecorderAhead | undefined;
  /** Of a process that writes for another one, which it tells how far it is. */
  report?: ((progress: EmitProgress) => void) | undefined;
  /** How a storage is asked whether it answers; by default that of `locate`. */
  askStorage?: AskStorage;
  /** Ends the process although a call to the storage hangs, once the command has returned. */
  abandon: () => void;
}

/** 0 fine, 1 failed, 2 wrong usage, 3 unhealthy. */
export type ExitCode = 0 | 1 | 2 | 3;

/** Lines for people: whatever is in them, in a terminal nothing of it acts. */
export function say(stream: Writable, text = ''): void {
  stream.write(`${text.split('\n').map(printSafe).join('\n')}\n`);
}

export function sayJson(stream: Writable, value: unknown, indent?: number): void {
  stream.write(`${jsonSafe(value, indent)}\n`);
}

/** What is written by the million must not pile up in memory before a slow pipe. */
export async function drained({ stdout, signal }: Pick<CliIo, 'stdout' | 'signal'>): Promise<void> {
  if (stdout.writableNeedDrain) await once(stdout, 'drain', { signal });
}
