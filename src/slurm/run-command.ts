// Runs squeue or sacct: never for longer than it is given, and never in the way of anything else.
import { spawn, type ChildProcess } from 'node:child_process';
import { errnoOf, messageOf } from '../errors.ts';
import type { Env } from '../events/env.ts';

export type Ran =
  | { kind: 'ended'; code: number; stdout: string; stderr: string }
  /** There is no such command here. */
  | { kind: 'missing' }
  | { kind: 'timed_out' }
  | { kind: 'failed'; message: string };

export interface RunLimits {
  env: Env;
  timeoutMs: number;
  /** Whoever does not want the answer any more. */
  signal: AbortSignal;
}

export type RunCommand = (command: string, args: readonly string[], limits: RunLimits) => Promise<Ran>;

/** An answer on more jobs than any site has. */
const MOST_BYTES = 512 * 1024 * 1024;

export const runCommand: RunCommand = async (command, args, { env, timeoutMs, signal }) => {
  if (signal.aborted) return { kind: 'failed', message: 'interrupted' };
  return await new Promise((resolve) => {
    // a group of its own: squeue may be a script around the real one, which would outlive it and hold the pipes
    const child = spawn(command, args, {
      env: { ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const stop = (ran: Ran): void => {
      finish(ran);
      killGroup(child);
    };
    const timer = setTimeout(() => stop({ kind: 'timed_out' }), timeoutMs);
    const interrupt = (): void => stop({ kind: 'failed', message: 'interrupted' });
    const finish = (ran: Ran): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', interrupt);
      child.stdout.destroy();
      child.stderr.destroy();
      // nobody waits for it any more
      child.unref();
      resolve(ran);
    };
    signal.addEventListener('abort', interrupt, { once: true });
    child.once('error', (error) => {
      finish(
        errnoOf(error) === 'ENOENT' ? { kind: 'missing' } : { kind: 'failed', message: messageOf(error) },
      );
    });
    child.once('close', (code, killedBy) => {
      if (code === null) finish({ kind: 'failed', message: `ended by ${killedBy ?? 'a signal'}` });
      else if (stdout.isTooLong()) finish({ kind: 'failed', message: 'its answer is longer than 512 MB' });
      else finish({ kind: 'ended', code, stdout: stdout.text(), stderr: stderr.text() });
    });
  });
};

function collect(stream: NodeJS.ReadableStream): { text: () => string; isTooLong: () => boolean } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MOST_BYTES) chunks.push(chunk);
  });
  return {
    // whole, because a chunk may end within a character
    text: () => Buffer.concat(chunks).toString('utf8'),
    isTooLong: () => bytes > MOST_BYTES,
  };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended meanwhile
  }
}
