// What this library calls itself in a file's header.

/** `version` is that of package.json, held equal by a test: reading it here would cost a system call a job. */
export const CLIENT = { name: 'runfold-js', version: '0.1.0' } as const;
