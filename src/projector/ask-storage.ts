// Whether a shared storage answers, asked by a process of its own: a call on a mount that hangs cannot be given up,
// and the process that has made it neither handles signals, if it was a synchronous one, nor ends with its exit code.
import { spawn } from 'node:child_process';

/** A question to the storage that may never be answered. */
export interface Question {
  /** Resolves when the storage has answered, whatever it said. Never rejects. */
  answered: Promise<void>;
  /** Nobody waits any longer. */
  giveUp: () => void;
}

/** Asks the storage of the first of these paths that is a directory. Injected, so that tests can let it hang. */
export type AskStorage = (directories: readonly string[]) => Question;

/** `stat -f` is statfs(2), which no NFS client answers from its cache. */
const SCRIPT = 'for d do if [ -d "$d" ]; then exec stat -f -- "$d"; fi; done';

export const askStorage: AskStorage = (directories) => {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', ...directories], {
    stdio: 'ignore',
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    // Ctrl-C in a terminal is for the one who asked
    detached: true,
  });
  const answered = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    // no process to be had: then it is asked without one
    child.once('error', () => resolve());
  });
  return {
    answered,
    giveUp: () => {
      child.kill('SIGKILL');
      // in some file systems not even that ends it
      child.unref();
    },
  };
};

/** Whether the question is answered in this time. Gives the question up when `signal` comes, which is thrown. */
export async function isAnswered(question: Question, ms: number, signal?: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<boolean>((resolve, reject) => {
      onAbort = () => {
        question.giveUp();
        reject(new DOMException('interrupted', 'AbortError'));
      };
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      if (Number.isFinite(ms)) timer = setTimeout(() => resolve(false), ms);
      void question.answered.then(() => resolve(true));
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}
