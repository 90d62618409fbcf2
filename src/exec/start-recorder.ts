// Starts the process that records: it needs as long as `runfold exec` itself, so both start at the same time.
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Env } from '../events/env.ts';
import { asShell, SHELL, withoutFolder } from './ask-program.ts';

const CHILD = fileURLToPath(new URL('recorder-child.js', import.meta.url));

/**
 * Has nothing to do before it is told. It ends when this process does, or disconnects. Undefined where none can be
 * started.
 */
export function startRecorder(env: Env): ChildProcess | undefined {
  try {
    return started(env);
  } catch {
    // no memory, or an environment that is too long for any program: whoever records does it itself
    return undefined;
  }
}

function started(env: Env): ChildProcess {
  // by a shell: the program itself may be on the storage that hangs
  const child = spawn(SHELL, asShell(process.execPath, [CHILD]), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: withoutFolder(env),
    // what is typed in a terminal is for the one who records
    detached: true,
  });
  // an error with no listener would end this process; that there is no such process is told to whoever writes to it
  child.on('error', () => undefined);
  // who waits for an answer has a timer for it
  child.unref();
  child.channel?.unref();
  return child;
}
