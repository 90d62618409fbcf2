// What `grid submit` tells the tasks of its array by their environment, and what a task reads from there.
import { RunfoldError } from '../errors.ts';
import type { Env } from '../events/env.ts';
import { gridError } from './grid-error.ts';
import type { Grid, GridRow } from './grid.ts';

export interface Submission {
  /** A ULID. */
  id: string;
  /** Absolute path of the log. */
  ledger: string;
  /** Absolute path of the grid, of the log's copy of it if there is one. */
  gridFile: string;
  gridDigest: string;
  keyFromConfig: readonly string[];
}

export const SUBMISSION_VARIABLES = [
  'RUNFOLD_DIR',
  'RUNFOLD_SUBMISSION',
  'RUNFOLD_GRID',
  'RUNFOLD_GRID_SHA256',
  'RUNFOLD_GRID_KEY',
] as const;

export function submissionEnv(
  submission: Submission,
): Readonly<Record<(typeof SUBMISSION_VARIABLES)[number], string>> {
  const { id, ledger, gridFile, gridDigest, keyFromConfig } = submission;
  return {
    RUNFOLD_DIR: ledger,
    RUNFOLD_SUBMISSION: id,
    RUNFOLD_GRID: gridFile,
    RUNFOLD_GRID_SHA256: gridDigest,
    RUNFOLD_GRID_KEY: JSON.stringify(keyFromConfig),
  };
}

/** The attempt of a task that has not been requeued, as every logger derives it too. */
export function taskAttempt(submission: string, task: number): string {
  return `${submission}.${task}`;
}

/** The `--key-from-config` of the submission; undefined if there was none, or none can be read. */
export function keyFromSubmission(env: Env): string[] | undefined {
  const text = env['RUNFOLD_GRID_KEY'];
  if (!text) return undefined;
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
  } catch {
    // not by `grid submit`
    return undefined;
  }
}

/**
 * The task must run the row that was submitted, not what stands there now.
 *
 * @throws RunfoldError `usage` if the file has changed since the submission
 */
export function checkGridDigest(env: Env, file: string, digest: string): void {
  const submitted = env['RUNFOLD_GRID_SHA256'];
  if (!submitted || submitted === digest) return;
  throw gridError(
    { file },
    'the grid has changed since it was submitted',
    'Put it back as it was, or submit again: runfold grid submit.',
  );
}

/**
 * The row of this task of an array.
 *
 * @throws RunfoldError `usage` outside of an array, or if the grid has no such row
 */
export function rowOfTask(env: Env, grid: Grid): GridRow {
  const text = env['SLURM_ARRAY_TASK_ID'];
  if (!text) {
    throw new RunfoldError('usage', `which row of ${grid.file}? SLURM_ARRAY_TASK_ID is not set`, {
      hint: 'Submit it with runfold grid submit GRID JOB.sbatch, or try a row: runfold exec --row 1 --grid …',
    });
  }
  const row = /^\d+$/.test(text) ? grid.rows[Number(text) - 1] : undefined;
  if (row !== undefined) return row;
  throw gridError(
    { file: grid.file },
    `there is no row ${text}; SLURM_ARRAY_TASK_ID says so`,
    `Rows count from 1 to ${grid.rows.length}. runfold grid submit has them right.`,
  );
}
