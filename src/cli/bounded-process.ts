// A program that is asked something and may not answer.
import { spawn } from 'node:child_process';
import { errnoOf } from '../errors.ts';

export type ProcessAnswer =
  | { kind: 'ended'; code: number | null; stdout: string; stderr: string }
  /** There is no such program. */
  | { kind: 'absent' }
  /** It had not ended by then, and was killed; what it had said. */
  | { kind: 'late' | 'interrupted'; stdout: string; stderr: string };

export interface ProcessRequest {
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  timeoutMs: number;
  signal: AbortSignal;
}

const MAX_OUTPUT = 65_536;

/** @throws a system error if it cannot be started although it is there: E2BIG, EACCES */
export function askProcess({
  program,
  args,
  env,
  cwd,
  timeoutMs,
  signal,
}: ProcessRequest): Promise<ProcessAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] = (said[name] + text).slice(-MAX_OUTPUT);
      });
    }
    const giveUp = (kind: 'late' | 'interrupted'): void => {
      child.kill('SIGKILL');
      // children of its own may hold them
      child.stdout.destroy();
      child.stderr.destroy();
      settle(() => resolve({ kind, ...said }));
    };
    const interrupt = (): void => giveUp('interrupted');
    const timer = setTimeout(() => giveUp('late'), timeoutMs);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', interrupt);
      then();
    };
    child.on('error', (error) =>
      settle(() => (errnoOf(error) === 'ENOENT' ? resolve({ kind: 'absent' }) : reject(error))),
    );
    child.on('close', (code) => settle(() => resolve({ kind: 'ended', code, ...said })));
    if (signal.aborted) interrupt();
    else signal.addEventListener('abort', interrupt);
  });
}
