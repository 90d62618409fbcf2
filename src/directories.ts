// Making directories where making one may be refused for ever: /proc, and home directories that an automounter serves.
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.ts';

/**
 * Makes `directory` and the parents that are missing, each asked for at most twice. With `recursive`, Node 20 asks
 * for ever where a parent is there and mkdir answers ENOENT all the same.
 *
 * @throws a system error of mkdir.
 */
export function makeDirectories(directory: string, mode = 0o777): void {
  try {
    mkdirSync(directory, mode);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && path.dirname(directory) !== directory) {
      makeDirectories(path.dirname(directory), mode);
      makeOne(directory, mode);
    } else if (!isDirectory(directory)) throw error;
  }
}

/** Somebody else may have made it meanwhile. */
function makeOne(directory: string, mode: number): void {
  try {
    mkdirSync(directory, mode);
  } catch (error) {
    if (!isDirectory(directory)) throw error;
  }
}

/** EEXIST is not the only answer for a directory that is there: EROFS, EACCES. */
function isDirectory(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}
