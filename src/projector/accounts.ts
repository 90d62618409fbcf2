// Users and groups by number. Where they come from (a file, a directory server) is the system's business: getent asks it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A directory server that does not answer holds nobody up. */
const PATIENCE_MS = 5_000;

/** The names of users; of one that has none, or if nobody answers, there is no entry. */
export async function namesOf(uids: readonly number[]): Promise<Map<number, string>> {
  const names = new Map<number, string>();
  if (uids.length === 0) return names;
  for (const [name, , uid] of await entries('passwd', uids.map(String))) {
    if (name !== undefined && name !== '') names.set(Number(uid), name);
  }
  return names;
}

/** The groups of a user. @throws if they cannot be had. */
export async function groupsOf(uid: number): Promise<number[]> {
  const [user] = await entries('passwd', [String(uid)]);
  const name = user?.[0];
  if (name === undefined || name === '') throw new Error(`there is no user ${uid}`);
  const { stdout } = await run('id', ['-G', '--', name], { timeout: PATIENCE_MS });
  return stdout.trim().split(/\s+/).map(Number);
}

/** The number of a group and who is in it without having it as his first; undefined if there is no such group. */
export async function groupNamed(name: string): Promise<{ gid: number; members: string[] } | undefined> {
  const [entry] = await entries('group', [name]);
  if (entry === undefined) return undefined;
  const [, , gid, members = ''] = entry;
  return { gid: Number(gid), members: members.split(',').filter((member) => member !== '') };
}

/** Lines of a database of getent, in fields. What is asked for and not there is left out. */
async function entries(database: 'passwd' | 'group', keys: readonly string[]): Promise<string[][]> {
  const lines = await run('getent', [database, '--', ...keys], { timeout: PATIENCE_MS }).then(
    ({ stdout }) => stdout,
    // exit code 2: one of them is not there
    (error: unknown) => (isOutput(error) ? error.stdout : ''),
  );
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}

function isOutput(error: unknown): error is { stdout: string } {
  return error instanceof Error && 'stdout' in error && typeof error.stdout === 'string';
}
