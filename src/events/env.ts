// The environment of a process, as an argument, so that nothing below reads the global one.

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The attempt that a launcher or a parent process gives to all that runs below it. Where it names a run too, the attempt
 * is that run's alone: another run that took it over would be one attempt each time it is executed there.
 */
export function attemptFromEnv(env: Env, runId?: string): string | undefined {
  const ofRun = env['RUNFOLD_RUN_ID'];
  if (runId !== undefined && ofRun && ofRun !== runId) return undefined;
  return env['RUNFOLD_ATTEMPT'] || undefined;
}
