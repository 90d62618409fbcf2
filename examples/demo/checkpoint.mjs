// A checkpoint is one JSON file that is there whole or not at all.
import { open, readFile, rename } from 'node:fs/promises';

/**
 * Written beside the old one and renamed over it: a job killed half-way leaves the old one.
 * @param {string} path
 * @param {object} state
 */
export async function saveCheckpoint(path, state) {
  const draft = `${path}.new`;
  const file = await open(draft, 'w');
  try {
    await file.writeFile(JSON.stringify(state));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

/**
 * @param {string} path
 * @returns {Promise<any>} undefined if there is none yet
 */
export async function loadCheckpoint(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
