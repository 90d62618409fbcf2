// The environment of a process, as an argument, so that nothing below reads the global one.

export type Env = Readonly<Record<string, string | undefined>>;

/** The attempt that a launcher or a parent process gives to all that runs below it. */
export function attemptFromEnv(env: Env): string | undefined {
  return env['RUNFOLD_ATTEMPT'] || undefined;
}
