// A query in a process of its own, which ends with the last message that is wanted, or at the deadline.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';
import ndjson from 'ndjson';
import { RunfoldError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import { EXPORTED_TABLES } from '../export/names.ts';
import { duration } from '../human.ts';
import type { Failure, Message, Request } from './wire.ts';

export interface QueryOptions {
  /** From the start to the last row; undefined: as long as it takes. */
  timeoutMs: number | undefined;
  signal: AbortSignal;
}

type Answer = Exclude<Message, { kind: 'failed' | 'done' }>;

const MAX_STDERR_CHARACTERS = 2000;

/**
 * The columns, then the rows as they come and no faster than they are taken.
 *
 * @throws RunfoldError `usage` if the query is wrong or would not only read; `query_failed` if it went wrong, was
 *   not over in time, or its process died. AbortError on the signal.
 */
export async function* queryInProcess(request: Request, options: QueryOptions): AsyncGenerator<Answer> {
  const { timeoutMs, signal } = options;
  signal.throwIfAborted();
  // compiled code alone: Node 20 runs no TypeScript
  const script = fileURLToPath(new URL('child.js', import.meta.url));
  // Ctrl-C in a terminal goes to this process alone, which then says so and ends the other
  const child = spawn(process.execPath, [script], { detached: true });
  await once(child, 'spawn');
  const ended = once(child, 'close');
  const kill = (): void => void child.kill('SIGKILL');
  let isLate = false;
  const deadline =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          isLate = true;
          kill();
        }, timeoutMs);
  signal.addEventListener('abort', kill, { once: true });
  let complaints = '';
  child.stderr.on('data', (text: Buffer) => {
    complaints = (complaints + text.toString('utf8')).slice(-MAX_STDERR_CHARACTERS);
  });
  // one that has died does not read; what it died of is said below
  child.stdin.on('error', () => undefined);
  // it stays open: its end would tell the child that we are gone
  child.stdin.write(`${JSON.stringify(request)}\n`);
  try {
    // an error is thrown where the messages are read
    const messages = pipeline(child.stdout, ndjson.parse(), () => undefined);
    for await (const line of messages) {
      const message = line as unknown as Message;
      if (message.kind === 'failed') throw failure(message);
      if (message.kind === 'done') return;
      yield message;
    }
    await ended;
    signal.throwIfAborted();
    throw isLate ? tooLate(timeoutMs ?? 0) : died(complaints);
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', kill);
    kill();
    await ended;
  }
}

function failure({ code, message }: Failure): RunfoldError {
  const [, table] = /^no such table: (?:main\.)?(.*)$/s.exec(message) ?? [];
  if (table === undefined) return new RunfoldError(code, message);
  const near = nearest(table, EXPORTED_TABLES);
  const hint = near === undefined ? `There are: ${EXPORTED_TABLES.join(', ')}.` : `Did you mean ${near}?`;
  return new RunfoldError(code, message, { hint });
}

function tooLate(timeoutMs: number): RunfoldError {
  return new RunfoldError('query_failed', `the query was not over after ${duration(timeoutMs / 1000)}`, {
    hint: 'Give it more time, such as --timeout 10m; --timeout 0 is no limit.',
  });
}

function died(complaints: string): RunfoldError {
  return new RunfoldError('query_failed', `the process that ran the query has died: ${complaints.trim()}`);
}
