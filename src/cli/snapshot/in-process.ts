// A snapshot made by a process of its own: neither a pass nor Ctrl-C waits for the copying.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SnapshotMade, SnapshotRequest } from '../../db/snapshot.ts';
import { RunfoldError, type ErrorCode } from '../../errors.ts';
import { LEDGER_FILE } from '../../events/layout.ts';
import type { Place } from '../../projector/open.ts';

export type SnapshotAnswer =
  | { made: SnapshotMade }
  | { failed: { code: ErrorCode; message: string; hint?: string | undefined } };

/** One that does not end when it is killed hangs in the storage, and is left there. */
const PATIENCE_MS = 1_000;
const MAX_STDERR_CHARACTERS = 2000;

/**
 * @param target absolute path of the snapshot
 * @throws RunfoldError as `makeSnapshot`; an AbortError on the signal, also if the process hangs in the storage.
 */
export async function snapshotInProcess(
  { file, ledger }: Place,
  target: string,
  signal: AbortSignal,
): Promise<SnapshotMade> {
  signal.throwIfAborted();
  const like = path.join(ledger.path, LEDGER_FILE);
  const request: SnapshotRequest = { file, target, like, host: os.hostname(), pid: 0 };
  // compiled code alone: Node 20 runs no TypeScript
  const script = fileURLToPath(new URL('child.js', import.meta.url));
  // Ctrl-C in a terminal goes to this process alone, which then ends the other
  const child = spawn(process.execPath, [script], { detached: true });
  await once(child, 'spawn');
  let said = '';
  let complaints = '';
  const answered = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.endsWith('\n')) resolve();
    });
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-MAX_STDERR_CHARACTERS);
  });
  // one that has died does not read; what it died of is said below
  child.stdin.on('error', () => undefined);
  // it stays open: its end would tell the child that we are gone
  child.stdin.write(`${JSON.stringify(request)}\n`);
  const ended = once(child, 'close');
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    await Promise.race([answered, ended, leftBehind(signal)]);
    signal.throwIfAborted();
    return understood(said, complaints);
  } finally {
    signal.removeEventListener('abort', kill);
    // its thread that waits for our end holds up its own
    kill();
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    child.unref();
  }
}

/** Some time after the signal. */
async function leftBehind(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  await sleep(PATIENCE_MS, undefined, { ref: false });
}

function understood(said: string, complaints: string): SnapshotMade {
  if (!said.endsWith('\n')) {
    throw new RunfoldError(
      'snapshot_failed',
      `the process that made the snapshot has died: ${complaints.trim()}`,
    );
  }
  const answer = JSON.parse(said) as SnapshotAnswer;
  if ('made' in answer) return answer.made;
  const { code, message, hint } = answer.failed;
  throw new RunfoldError(code, message, hint === undefined ? {} : { hint });
}
