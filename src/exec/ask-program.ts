// Asks another program, which may lie on a storage that hangs, or be looked for there.
import {
  execFile,
  type ChildProcess,
  type ExecFileException,
  type ExecFileOptions,
} from 'node:child_process';

/** Arguments of sh: the call that starts a process returns when its program is there, and sh is on every machine. */
const EXEC = ['-c', 'exec "$@"', 'sh'];

export const SHELL = '/bin/sh';

/** Arguments of `SHELL` that make it that program. */
export function asShell(program: string, args: readonly string[]): string[] {
  return [...EXEC, program, ...args];
}

/** A shell looks at the folder that `PWD` names, which may be on a storage that hangs. */
export function withoutFolder(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PWD: _, ...rest } = env;
  return rest;
}

/** As `execFile` in `/`, but never waits itself for the program to be found; one that is not there is `isNotFound`. */
export function askProgram(
  program: string,
  args: readonly string[],
  options: Omit<ExecFileOptions, 'cwd'>,
  done: (error: ExecFileException | null, stdout: string) => void,
): ChildProcess {
  const env = withoutFolder(options.env ?? process.env);
  const given = { ...options, env, cwd: '/', encoding: 'utf8' } as const;
  return execFile(SHELL, asShell(program, args), given, (error, stdout) => done(error, stdout));
}

/** What a shell says of a program that it has not found. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 127;
}
