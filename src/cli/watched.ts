// Commands that are over in a moment write with synchronous calls: on a storage that hangs one of them never returns,
// and nothing of this process can say so, or hears of a signal.
import { spawn, type ChildProcess } from 'node:child_process';
import { mayHang } from '../db/mounts.ts';
import { PACE } from '../projector/pace.ts';
import type { CliIo } from './io.ts';
import { notAnswered } from './not-answered.ts';

const ENDING = ['SIGINT', 'SIGTERM'] as const;

/** Says it after a while, if this process still waits. */
const SCRIPT = 'sleep "$1"; kill -0 "$2" 2>/dev/null && printf "%s\\n" "$3" >&2';

/**
 * What `work` gives. If it hangs a process of its own says since when, and Ctrl-C ends this one as the system does it
 * where nobody listens: at once.
 *
 * @param lost what Ctrl-C means, after `Ctrl-C ends that`
 */
export function watched<T>(places: readonly string[], io: CliIo, lost: string, work: () => T): T {
  const slow = places.find((place) => mayHang(place));
  if (slow === undefined) return work();
  const watch = startWatch(
    `runfold: ${notAnswered({ path: slow, since: io.clock.now() })}; waiting for it (Ctrl-C ends that${lost})`,
  );
  const listeners = ENDING.map((signal) => ({ signal, own: process.rawListeners(signal) }));
  for (const { signal } of listeners) process.removeAllListeners(signal);
  try {
    return work();
  } finally {
    for (const { signal, own } of listeners) {
      for (const listener of own) process.on(signal, listener as NodeJS.SignalsListener);
    }
    endWatch(watch);
  }
}

function startWatch(line: string): ChildProcess {
  const seconds = String(PACE.answerWithin / 1000);
  const watch = spawn('/bin/sh', ['-c', SCRIPT, 'sh', seconds, String(process.pid), line], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    // a group of its own, which can be ended with its sleep
    detached: true,
  });
  // without it the wait is silent
  watch.on('error', () => undefined);
  watch.unref();
  return watch;
}

function endWatch({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has said what it had to say
  }
}
