// runfold init: makes the directory that jobs log into.
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { errnoOf, messageOf, RunfoldError } from '../../errors.ts';
import { createLedger, LEDGER_DIR } from '../../events/ledger.ts';
import { LEDGER_FILE } from '../../events/layout.ts';
import { groupNamed, namesOf } from '../../projector/accounts.ts';
import { shown } from '../../query/arguments.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { share } from '../share.ts';
import { printSafe } from '../print-safe.ts';
import { commandLine } from '../shell-quote.ts';
import { shellWord } from '../../shell-word.ts';
import { watched } from '../watched.ts';

export interface InitFlags {
  shared?: string;
}

export async function init(directory: string | undefined, flags: InitFlags, io: CliIo): Promise<ExitCode> {
  const place = path.resolve(io.cwd, directory ?? LEDGER_DIR);
  if (flags.shared !== undefined) return await initShared(place, flags.shared, io);
  sayMade(make(place, io), io);
  return 0;
}

/** Makes a log for a group, or gives one that there is to it. */
async function initShared(place: string, name: string, io: CliIo): Promise<ExitCode> {
  const group = await groupToShareWith(name);
  const isThere = patiently(place, io, () => existsSync(path.join(place, LEDGER_FILE)));
  if (!isThere) sayMade(make(place, io), io);
  const { shared, others } = patiently(place, io, () => share(place, group.gid));
  say(
    io.stdout,
    `shared with the group ${name}: its members can log into ${printSafe(place)} (${count(shared, 'mode')} set)`,
  );
  for (const [uid, paths] of others) {
    const owner = (await namesOf([uid])).get(uid) ?? `uid ${uid}`;
    say(
      io.stderr,
      `${count(paths.length, 'file or folder', 'files and folders')} of ${owner} stayed as they were;`,
    );
    say(io.stderr, `  ${owner} types: ${commandLine(['init', '--shared', name, place])}`);
  }
  return 0;
}

/** @throws RunfoldError `usage` if there is no such group, or one is not in it. */
async function groupToShareWith(name: string): Promise<{ gid: number }> {
  const group = await groupNamed(name);
  if (group === undefined) {
    throw new RunfoldError('usage', `there is no group ${shown(name)} on this machine`, {
      hint: 'Yours are listed by: id -Gn',
    });
  }
  const own = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  if (process.getuid?.() === 0 || own.includes(group.gid)) return group;
  const user = os.userInfo().username;
  throw new RunfoldError('usage', `you are not in the group ${name}`, {
    hint: group.members.includes(user)
      ? 'You have been put into it since you logged in: log in again, or type newgrp first.'
      : 'Somebody who administers the cluster can put you into it. Yours are listed by: id -Gn',
  });
}

function sayMade(made: string, io: CliIo): void {
  say(io.stdout, `made ${printSafe(made)}`);
  if (path.basename(made) !== LEDGER_DIR || path.dirname(made) !== io.cwd) {
    say(io.stdout, `jobs and commands find it by: export RUNFOLD_DIR=${shellWord(made)}`);
  }
}

function patiently<T>(place: string, io: CliIo, work: () => T): T {
  return watched([place], io, '', work);
}

function make(directory: string, io: CliIo): string {
  try {
    return patiently(directory, io, () => createLedger(directory)).path;
  } catch (cause) {
    if (errnoOf(cause) === undefined || cause instanceof RunfoldError) throw cause;
    throw new RunfoldError('ledger_not_made', `no log can be made at ${directory}: ${messageOf(cause)}`, {
      hint: 'Name a directory on storage that you may write to, and that jobs and the login node share.',
      cause,
    });
  }
}
