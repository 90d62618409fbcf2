// The environment of a process, as an argument, so that nothing below reads the global one.

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The attempt that a launcher or a parent process gives to all that runs below it. Where it names a run too, the attempt
 * is that run's alone: another run that took it over would be one attempt each time it is executed there.
 */
export function attemptFromEnv(env: Env, runId?: string): string | undefined {
  const ofRun = env['RUNFOLD_RUN_ID'];
  if (runId !== undefined && ofRun && ofRun !== runId) return undefined;
  return env['RUNFOLD_ATTEMPT'] || submittedAttempt(env);
}

/**
 * The attempt that was recorded when the array was submitted, since one environment is given to all of its tasks. A
 * task that is requeued begins another; so does all that runs below an execution which has begun.
 */
function submittedAttempt(env: Env): string | undefined {
  const { RUNFOLD_SUBMISSION: submission, SLURM_ARRAY_TASK_ID: task = '' } = env;
  const isFirstStart = /^0*$/.test(env['SLURM_RESTART_COUNT'] ?? '');
  const isBelow = Boolean(env['RUNFOLD_RUN_ID']) || Boolean(env['RUNFOLD_STARTED']);
  if (!submission || !/^\d+$/.test(task) || !isFirstStart || isBelow) return undefined;
  return `${submission}.${task}`;
}
