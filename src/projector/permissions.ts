// Whether those who share a log can work in it, and nobody else: modes and owners of its folders, as they are.
import { lstat, readdir } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import path from 'node:path';
import type { Db } from '../db/open.ts';
import { errnoOf } from '../errors.ts';
import { EVENTS_DIR, LEDGER_FILE } from '../events/layout.ts';
import { sharedModeOf } from '../events/shared-mode.ts';
import { shellWord } from '../shell-word.ts';
import type { Finding } from './health.ts';
import { byNumber, ownedFiles } from './people.ts';

interface Seen extends Stats {
  /** Relative to the log; empty for the log itself. */
  relative: string;
}

interface Fault {
  seen: Seen;
  what: string;
  /** What mends it. */
  command: string;
  severity: Finding['severity'];
}

/**
 * What stands in the way of those who share the log, and what lets strangers in.
 *
 * @param self who asks
 * @param namesOf the names of users
 * @throws a system error if the log itself cannot be looked at.
 */
export async function permissionFindings(
  db: Db,
  root: string,
  self: number,
  namesOf: (uids: readonly number[]) => Promise<ReadonlyMap<number, string>>,
): Promise<Finding[]> {
  const view = new View(root);
  const log = await view.look('');
  const events = await view.look(EVENTS_DIR);
  if (log === undefined || events === undefined) return [];
  const folders = await view.folders();
  for (const folder of [log, events, ...folders]) view.againstStrangers(folder);
  const shared = sharedModeOf(events.mode);
  if (shared === undefined) {
    // alone, the group is one’s own, mostly
    if (ownedFiles(db).length > 1) view.halfShared(events);
  } else {
    view.belowShared(log, await view.look(LEDGER_FILE));
    for (const folder of folders) view.inShared(folder, events);
  }
  for (const file of unreadable(db)) await view.unreadable(file);
  const { faults } = view;
  const names = await namesOf([...new Set(faults.map(({ seen }) => seen.uid))]);
  return faults.map((fault) => explain(fault, names.get(fault.seen.uid) ?? byNumber(fault.seen.uid), self));
}

function explain({ seen, what, command, severity }: Fault, owner: string, self: number): Finding {
  const mode = (seen.mode & 0o7777).toString(8);
  const who = seen.uid === self ? 'Type' : `${owner} types, or root`;
  // root is refused nothing on a disk of its own
  const squashed =
    self === 0 && what.startsWith('you cannot')
      ? ' You are root: the server may take that for nobody (root_squash); then run this as the log’s owner.'
      : '';
  return {
    kind: 'permissions',
    severity,
    where: seen.relative === '' ? '.' : seen.relative,
    offset: null,
    what: `${what} (mode ${mode}, of ${owner})`,
    advice: `${who}: ${command}${squashed}`,
    owner,
  };
}

function unreadable(db: Db): string[] {
  return db
    .prepare<[], string>(
      "SELECT path FROM _files WHERE state = 'missing' AND reason IN ('EACCES', 'EPERM') ORDER BY path",
    )
    .pluck()
    .all();
}

class View {
  readonly faults: Fault[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Undefined if it is not there, or cannot be looked at: its folder is the finding then. */
  async look(relative: string): Promise<Seen | undefined> {
    try {
      return Object.assign(await lstat(path.join(this.#root, relative)), { relative });
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }

  /** The folders of events; one that cannot be listed is a finding. */
  async folders(): Promise<Seen[]> {
    const folders: Seen[] = [];
    for (const entry of await this.#entries(EVENTS_DIR)) {
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      const folder = await this.look(`${EVENTS_DIR}/${entry.name}`);
      if (folder === undefined) continue;
      folders.push(folder);
      await this.#entries(folder.relative, folder);
    }
    return folders;
  }

  async #entries(relative: string, seen?: Seen) {
    try {
      return await readdir(path.join(this.#root, relative), { withFileTypes: true });
    } catch (error) {
      if (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') return [];
      const folder = seen ?? (await this.look(relative));
      if (folder !== undefined) {
        this.#add(
          folder,
          'you cannot list it: what its files hold is not read',
          `chmod g+rx ${this.#word(folder)}`,
        );
      }
      return [];
    }
  }

  againstStrangers(folder: Seen): void {
    if ((folder.mode & 0o002) === 0) return;
    this.#add(
      folder,
      'everybody on this machine can write in it, and so add lines that look like yours',
      `chmod o-w ${this.#word(folder)}`,
    );
  }

  /** The group may write, but what is made there is of its maker’s own group. */
  halfShared(events: Seen): void {
    if ((events.mode & 0o020) === 0) return;
    this.#add(
      events,
      'the group can write in it, but it is not setgid: what one makes, the others may not be able to read',
      `runfold init --shared GROUP ${shellWord(this.#root)}`,
      'note',
    );
  }

  belowShared(log: Seen, ledger: Seen | undefined): void {
    if ((log.mode & 0o010) === 0) {
      this.#add(log, 'its group cannot enter it', `chmod g+rx ${this.#word(log)}`);
    }
    if ((log.mode & 0o020) !== 0) {
      const what = 'its group can write in it, and so replace ledger.json or take a snapshot away';
      this.#add(log, what, `chmod g-w ${this.#word(log)}`);
    }
    if (ledger !== undefined && (ledger.mode & 0o022) !== 0) {
      this.#add(ledger, 'others can write it', `chmod go-w ${this.#word(ledger)}`);
    }
    if (ledger !== undefined && (ledger.mode & 0o040) === 0) {
      this.#add(ledger, 'its group cannot read it, and so cannot log', `chmod g+r ${this.#word(ledger)}`);
    }
  }

  inShared(folder: Seen, events: Seen): void {
    const word = this.#word(folder);
    if (folder.gid !== events.gid) {
      this.#add(
        folder,
        'it is of another group than events/',
        `chgrp ${events.gid} ${word} && chmod g+rwxs ${word}`,
      );
    } else if ((folder.mode & 0o2070) !== 0o2070) {
      const lacks =
        (folder.mode & 0o070) === 0o070 ? 'it is not setgid' : 'others of its group cannot make files in it';
      this.#add(folder, lacks, `chmod g+rwxs ${word}`);
    }
  }

  async unreadable(relative: string): Promise<void> {
    const file = await this.look(relative);
    if (file === undefined) return;
    this.#add(file, 'you cannot read it', `chmod g+r ${this.#word(file)}`);
  }

  #word({ relative }: Seen): string {
    return shellWord(path.join(this.#root, relative));
  }

  #add(seen: Seen, what: string, command: string, severity: Finding['severity'] = 'problem'): void {
    this.faults.push({ seen, what, command, severity });
  }
}
