// What sbatch answered.

export interface SubmittedJob {
  jobId: string;
  /** In a federation; else null. */
  cluster: string | null;
}

const JOB = /^(\d+)(?:;(\S+))?$/;

/** Of `sbatch --parsable`: the last line that is `123` or `123;cluster`, since sites print more. */
export function submittedJob(stdout: string): SubmittedJob | undefined {
  for (const line of stdout.split('\n').toReversed()) {
    const [, jobId, cluster] = JOB.exec(line.trim()) ?? [];
    if (jobId !== undefined) return { jobId, cluster: cluster ?? null };
  }
  return undefined;
}

/** sbatch has failed, and yet the job may be there: the answer of the controller was lost. */
export function isOutcomeUnknown(stderr: string): boolean {
  return /Socket timed out|Zero Bytes were transmitted|Transport endpoint/i.test(stderr);
}

/** What to do about a refusal, as a sentence. */
export function mendOf(stderr: string, greatestRow: number): string {
  if (/Invalid job array specification/i.test(stderr)) {
    return (
      `The greatest row is ${greatestRow}, and a task's number must be below MaxArraySize ` +
      '(scontrol show config | grep MaxArraySize): split the grid into files with fewer rows.'
    );
  }
  if (/invalid partition/i.test(stderr)) return 'sinfo -s lists the partitions.';
  if (/invalid account|account\/partition/i.test(stderr)) {
    return 'sacctmgr show assoc user=$USER lists your accounts.';
  }
  if (/QOS|accounting|submit.*limit|job limit|MaxSubmit|AssocMax/i.test(stderr)) {
    return 'If it is a limit on the number of jobs, submit a part now, --array 1-100, and the others later.';
  }
  if (/Unable to contact slurm controller/i.test(stderr))
    return 'The controller does not answer: try again later.';
  return 'Options for sbatch go after --.';
}
