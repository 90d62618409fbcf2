// Whose files are read. Who may write in the directory decides, unless the user trusts fewer than that.
import { stat } from 'node:fs/promises';
import { groupsOf } from './accounts.ts';
import type { Part } from './storage.ts';

/**
 * owner: files of the log's owner, of root and of whoever runs this. group: also those of members of the log's
 * group. all: everyone's.
 */
export type TrustLevel = 'owner' | 'group' | 'all';

/** Who the users are, injected so that tests need none. */
export interface People {
  /** Whoever runs this. */
  self: number;
  /** Whose the log's directory is. */
  owner(): Promise<{ uid: number; gid: number }>;
  /** The groups of a user. Rejects if they cannot be had. */
  groupsOf(uid: number): Promise<readonly number[]>;
}

export function systemPeople(root: string): People {
  return { self: process.getuid?.() ?? 0, owner: () => stat(root), groupsOf };
}

/** Why a file is not trusted although its owner may be: nobody says which groups he is in. */
export const GROUPS_UNKNOWN = 'groups_unknown';

const ROOT = 0;

export class Trust {
  readonly #level: TrustLevel;
  readonly #people: People;
  #owner: { uid: number; gid: number } | undefined;
  readonly #members = new Map<string, Promise<boolean>>();

  constructor(level: TrustLevel, people: People) {
    this.#level = level;
    this.#people = people;
  }

  /** Undefined if the file is trusted, else why it is not, null if for its owner. */
  async whyNot({ uid }: Pick<Part, 'uid'>): Promise<string | null | undefined> {
    if (this.#level === 'all' || uid === ROOT || uid === this.#people.self) return undefined;
    if (uid === undefined) return null;
    const owner = (this.#owner ??= await this.#people.owner());
    if (uid === owner.uid) return undefined;
    if (this.#level === 'owner') return null;
    try {
      return (await this.#isMember(uid, owner.gid)) ? undefined : null;
    } catch {
      // it is asked again at the next look, and said meanwhile
      return GROUPS_UNKNOWN;
    }
  }

  /** Asked once for each user as long as this is there. */
  async #isMember(uid: number, gid: number): Promise<boolean> {
    const key = `${uid} ${gid}`;
    const known = this.#members.get(key);
    if (known !== undefined) return await known;
    const asked = this.#people.groupsOf(uid).then((groups) => groups.includes(gid));
    this.#members.set(key, asked);
    try {
      return await asked;
    } catch (error) {
      this.#members.delete(key);
      throw error;
    }
  }
}
