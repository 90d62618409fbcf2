// Grid files on disk.
import * as fs from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf, RunfoldError } from '../errors.ts';
import { decodeGrid, gridDigest, type Grid, type GridRow } from '../grid/grid.ts';
import { checkGridDigest, keyFromSubmission, rowOfTask } from '../grid/submission.ts';
import { submittedBytes } from './grid-copy.ts';
import { say, type CliIo } from './io.ts';

export interface GridFile {
  grid: Grid;
  /** Absolute. */
  path: string;
  /** That the grid was read from. */
  bytes: Buffer;
  /** Of those bytes. */
  digest: string;
}

/** A table of a million rows has less. */
const MAX_BYTES = 512 * 1_048_576;

/** @throws RunfoldError `usage` if it cannot be read or is no grid */
export function readGridFile(
  file: string,
  keyFromConfig: readonly string[] | undefined,
  { cwd }: Pick<CliIo, 'cwd'>,
): GridFile {
  const absolute = path.resolve(cwd, file);
  const bytes = bytesOf(absolute, file);
  return {
    grid: decodeGrid(bytes, file, { keyFromConfig }),
    path: absolute,
    bytes,
    digest: gridDigest(bytes),
  };
}

/**
 * The grid that this task was submitted with: the file that its script names, or, if somebody has changed that since,
 * the copy that `grid submit` has kept.
 */
function gridOfTask(
  file: string,
  keyFromConfig: readonly string[] | undefined,
  io: Pick<CliIo, 'cwd' | 'env' | 'stderr'>,
): Grid {
  const options = { keyFromConfig: keyFromConfig ?? keyFromSubmission(io.env) };
  let bytes: Buffer;
  try {
    // once: it may be a pipe
    bytes = bytesOf(path.resolve(io.cwd, file), file);
    checkGridDigest(io.env, file, gridDigest(bytes));
  } catch (error) {
    const { RUNFOLD_GRID: copy, RUNFOLD_GRID_SHA256: submitted } = io.env;
    const kept = !submitted || !copy ? undefined : submittedBytes(path.resolve(io.cwd, copy), submitted);
    if (kept === undefined || copy === undefined) throw error;
    say(
      io.stderr,
      `runfold: ${file} is not the grid that was submitted; its copy as it was submitted is used: ${copy}`,
    );
    return decodeGrid(kept, copy, options);
  }
  return decodeGrid(bytes, file, options);
}

/**
 * What a task of an array runs. The columns in the key are those of the submission unless others are given.
 *
 * @throws RunfoldError `usage` also if there is no row for it, or the grid has changed since it was submitted and no copy was kept
 */
export function gridRowOfTask(
  file: string,
  keyFromConfig: readonly string[] | undefined,
  io: Pick<CliIo, 'cwd' | 'env' | 'stderr'>,
): GridRow {
  return rowOfTask(io.env, gridOfTask(file, keyFromConfig, io));
}

/**
 * The row with this number, as `gridRowOfTask` gives that of a task where there is none.
 *
 * @throws RunfoldError `usage`
 */
export function gridRow(
  file: string,
  { keyFromConfig, row }: { keyFromConfig: readonly string[] | undefined; row: number | undefined },
  io: Pick<CliIo, 'cwd' | 'env' | 'stderr'>,
): GridRow {
  if (file === '') {
    throw new RunfoldError('usage', 'the grid has no name: RUNFOLD_GRID is not set', {
      hint: 'Submit with runfold grid submit GRID JOB.sbatch, which sets it, or name the file.',
    });
  }
  if (row === undefined) return gridRowOfTask(file, keyFromConfig, io);
  const grid = gridOfTask(file, keyFromConfig, io);
  const found = grid.rows[row - 1];
  if (found !== undefined) return found;
  throw new RunfoldError('usage', `${file} has no row ${row}`, {
    hint: `Rows count from 1 to ${grid.rows.length}.`,
  });
}

function bytesOf(absolute: string, file: string): Buffer {
  try {
    const { size } = fs.statSync(absolute);
    if (size > MAX_BYTES) {
      throw new RunfoldError('usage', `${file} has ${size} bytes, more than a grid can have`, {
        hint: 'Is it the right file?',
      });
    }
    return fs.readFileSync(absolute);
  } catch (error) {
    if (error instanceof RunfoldError) throw error;
    const problem = errnoOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new RunfoldError('usage', `the grid ${file} cannot be read: ${problem}`, {
      hint: 'Name a CSV or JSON file with one row for each run.',
    });
  }
}
