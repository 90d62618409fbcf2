#!/usr/bin/env node
// The process: arguments and streams in, exit code out.
import { once } from 'node:events';
import { systemClock } from '../clock.ts';
import { BELOW, type EmitProgress } from './below.ts';
import { dieOf } from '../exec/signals.ts';
import type { CliIo } from './io.ts';

const args = process.argv.slice(2);
const ending = new AbortController();
let isAbandoned = false;
let endedBy: NodeJS.Signals | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endedBy ??= signal;
    ending.abort();
  });
}

// as soon as signals are listened to
const recorder =
  args[0] === 'exec' ? (await import('./recorder-place.ts')).recorderAhead(args, process.env) : undefined;
// one that writes for another process ends with it
process.once('disconnect', () => ending.abort());
process.channel?.unref();

/**
 * Each stream is opened when it is asked for: that makes a pipe non-blocking, for all who share it, and `exec` leaves
 * them to its command.
 */
const io: CliIo = {
  args,
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return withListener(process.stdout, onOutputError);
  },
  get stderr() {
    // there is nobody left to tell
    return withListener(process.stderr, endInFailure);
  },
  env: process.env,
  get cwd() {
    return process.cwd();
  },
  clock: systemClock,
  recorder,
  get endedBy() {
    return endedBy;
  },
  report: process.env[BELOW] === undefined ? undefined : report,
  signal: ending.signal,
  abandon: () => {
    isAbandoned = true;
  },
};

function withListener<T extends NodeJS.WriteStream>(
  stream: T,
  listener: (error: NodeJS.ErrnoException) => void,
): T {
  return stream.listeners('error').includes(listener) ? stream : stream.on('error', listener);
}

function report(progress: EmitProgress): void {
  // the other end may have gone meanwhile, which `disconnect` tells
  if (process.connected) process.send?.(progress, () => undefined);
}

function endInFailure(): void {
  process.exit(1);
}

/** A reader that goes away, as in `runfold doctor | head`, is no error. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`runfold: what it prints cannot be written: ${error.message}\n`);
  process.exit(1);
}

const run = args[0] === 'exec' ? (await import('./exec.ts')).runExec : (await import('./program.ts')).runCli;
process.exitCode = await run(args, io);
if (isAbandoned) {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableNeedDrain) await once(stream, 'drain');
  }
  // an ordinary end would wait for the thread that hangs in the storage; a signal ends that too
  dieOf(endedBy ?? 'SIGKILL');
}
