// `emit -` on a storage that may hang: the same command in a process of its own, which this one watches.
import { spawn } from 'node:child_process';
import { mayHang } from '../db/mounts.ts';
import { ledgerCandidates } from '../events/ledger.ts';
import { spoolDirectory } from '../events/spool.ts';
import { PACE } from '../projector/pace.ts';
import { BELOW, PROGRESS_MS, type EmitProgress } from './below.ts';
import { count } from './human.ts';
import { say, type CliIo, type ExitCode } from './io.ts';
import { notAnswered } from './not-answered.ts';

/** After a signal, on a storage that is slow but not known to hang; SLURM sends SIGKILL 30 s after its SIGTERM. */
const LAST_WRITES_MS = 15_000;

/** Wherever `emit` makes calls. */
export function emitPlaces({ ledger }: { ledger?: string }, { env, cwd }: CliIo): string[] {
  return [...ledgerCandidates({ explicit: ledger, env, cwd }), spoolDirectory(env, process.getuid?.())];
}

export function isApart(places: readonly string[], { report }: CliIo): boolean {
  return report === undefined && places.some((place) => mayHang(place));
}

/** Resolves when the process has ended, or the signal has come and it does not end. */
export async function emitApart([place = '']: readonly string[], io: CliIo): Promise<ExitCode> {
  const { args = [], env, clock, signal } = io;
  const [, main = ''] = process.argv;
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...env, [BELOW]: '1' },
  });
  let progress: EmitProgress = { read: 0, safe: 0 };
  let heardAt = clock.now();
  let hasBegun = false;
  let isSilent = false;
  child.on('message', (message: EmitProgress) => {
    progress = message;
    heardAt = clock.now();
    hasBegun = true;
    if (isSilent) say(io.stderr, 'runfold: the storage answers again');
    isSilent = false;
  });
  const watch = setInterval(() => {
    if (isSilent || !hasBegun || clock.now() - heardAt < PACE.answerWithin) return;
    isSilent = true;
    say(
      io.stderr,
      `runfold: ${notAnswered({ path: place, since: heardAt })}; waiting for it (Ctrl-C ends that)`,
    );
  }, PROGRESS_MS);
  try {
    return await new Promise<ExitCode>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve((code ?? 1) as ExitCode));
      const end = (): void => {
        child.kill('SIGTERM');
        const limit = isSilent ? PACE.abandonAfter : LAST_WRITES_MS;
        setTimeout(() => {
          const { read, safe } = progress;
          const rest = `of ${count(read, 'record')} that were read, ${safe} are known to be in the log`;
          say(io.stderr, `runfold: ${notAnswered({ path: place, since: heardAt })}; interrupted: ${rest}`);
          child.kill('SIGKILL');
          child.disconnect();
          child.unref();
          resolve(1);
        }, limit).unref();
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  } finally {
    clearInterval(watch);
  }
}
