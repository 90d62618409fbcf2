// Other users of this machine, and processes that run as them.
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { builtDir } from '../helpers/built.ts';
import { cleanEnv } from '../process/cli-process.ts';

/** Two that every Linux has, with the group of the second for both. */
export const DAEMON = { name: 'daemon', uid: 1, gid: 1 };
export const NOBODY = { name: 'nobody', uid: 65_534, gid: 65_534 };
export const GROUP = 'nogroup';
export type Other = typeof DAEMON;

export const CLI = path.join(builtDir(), 'cli/main.js');

/** Why nothing can be done as somebody else here, undefined if it can. */
export function whyNoOthers(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can act as another user';
  if (spawnSync('setpriv', ['--version']).status !== 0) return 'setpriv is not installed';
  const group = spawnSync('getent', ['group', GROUP], { encoding: 'utf8' }).stdout;
  if (group.split(':')[2] !== String(NOBODY.gid)) return `there is no group ${GROUP}`;
  for (const other of [DAEMON, NOBODY]) {
    if (runAs(other, ['test', '-r', CLI]).status !== 0) return `${other.name} cannot read ${CLI}`;
  }
  return undefined;
}

/** Runs a command as somebody else, who is in GROUP too. */
export function runAs(
  { uid, gid }: Other,
  command: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd?: string; input?: string } = {},
): SpawnSyncReturns<string> {
  const args = ['--reuid', String(uid), '--regid', String(gid), '--groups', String(NOBODY.gid), ...command];
  return spawnSync('setpriv', args, {
    cwd: options.cwd ?? '/',
    env: cleanEnv({ HOME: '/nonexistent', ...options.env }),
    input: options.input ?? '',
    encoding: 'utf8',
  });
}

/** A folder that everybody may enter, and only root may write. */
export function publicFolder(folder: string): string {
  fs.chmodSync(folder, 0o755);
  return folder;
}

export function modeOf(file: string): string {
  return (fs.statSync(file).mode & 0o7777).toString(8);
}
