#!/usr/bin/env node
// The process: arguments and streams in, exit code out.
import { systemClock } from '../clock.ts';
import { runCli } from './program.ts';

const ending = new AbortController();
let isAbandoned = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
// a reader that goes away, as in `runfold doctor | head`, is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`runfold: what it prints cannot be written: ${error.message}\n`);
  process.exit(1);
});
// there is nobody left to tell
process.stderr.on('error', () => process.exit(1));

process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  signal: ending.signal,
  abandon: () => {
    isAbandoned = true;
  },
});
// an ordinary end would wait for the thread that hangs in the storage
if (isAbandoned) process.kill(process.pid, 'SIGKILL');
