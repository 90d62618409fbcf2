// Whether what `runfold exec` records is written by a process of its own, found out before all else is loaded.
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { mayHang } from '../db/mounts.ts';
import type { Env } from '../events/env.ts';
import { workingDirectory } from '../events/event-writer.ts';
import { ledgerCandidates } from '../events/ledger.ts';
import { inheritedDescriptors } from '../exec/descriptors.ts';
import { startRecorder } from '../exec/start-recorder.ts';

/** A process that records for `exec`, which was started before the command line was read. */
export interface RecorderAhead {
  child: ChildProcess | undefined;
  /** Those of the command, seen before there was one to that process. */
  descriptors: readonly number[];
}

/** Whether any file that a recorder looks at is where a call may never return. Touches none of them. */
export function mayRecorderHang(ledger: string | undefined, env: Env): boolean {
  const cwd = workingDirectory();
  const candidates = ledgerCandidates({ explicit: ledger, env, cwd });
  return [cwd, ...candidates, ...[1, 2].map(outputOf)].some((place) => mayHang(place));
}

/** `/` for what is no file. */
function outputOf(fd: number): string {
  try {
    const target = fs.readlinkSync(`/proc/self/fd/${fd}`);
    return target.startsWith('/') ? target : '/';
  } catch {
    // closed, or not on Linux
    return '/';
  }
}

/** From the words of a command line that nobody has checked yet: if they are wrong, it has nothing to do. */
export function recorderAhead(args: readonly string[], env: Env): RecorderAhead | undefined {
  const dashes = args.indexOf('--');
  if (dashes === -1 || !mayRecorderHang(ledgerOf(args.slice(0, dashes)), env)) return undefined;
  const descriptors = inheritedDescriptors(args.slice(dashes + 1));
  return { descriptors, child: startRecorder(env) };
}

function ledgerOf(options: readonly string[]): string | undefined {
  const at = options.findLastIndex((word) => word === '--ledger' || word.startsWith('--ledger='));
  const [, joined] = /^--ledger=(.*)$/.exec(options[at] ?? '') ?? [];
  return joined ?? (at === -1 ? undefined : options[at + 1]);
}
