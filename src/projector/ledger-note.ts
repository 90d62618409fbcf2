// What this machine remembers of a ledger, beside its database: enough to find the database while the storage hangs.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { nodeIo } from '../events/file-io.ts';
import type { LedgerInfo } from '../events/ledger.ts';
import { databasePath } from '../db/location.ts';
import { writeNote } from '../db/note-file.ts';

/** A call to the storage that has not come back. */
export interface Hang {
  /** Relative to the ledger. */
  path: string;
  /** Milliseconds since 1970. */
  since: number;
}

interface Noted extends LedgerInfo {
  hang?: (Hang & { pid: number }) | undefined;
}

/** Written whole or not at all. Nothing depends on it: what cannot be read or written is as if it were not there. */
export class LedgerNote {
  readonly #file: string;
  readonly #ledger: string;

  /** @param ledger the absolute path of its directory */
  constructor(ledger: string, database: { named: string | undefined; directory: string }) {
    this.#ledger = ledger;
    const { named, directory } = database;
    const digest = createHash('sha256').update(ledger).digest('hex').slice(0, 32);
    this.#file = named === undefined ? path.join(directory, `${digest}.note`) : `${named}.note`;
  }

  /** The ledger as it was last seen there, undefined if it never was. */
  get ledger(): LedgerInfo | undefined {
    const noted = this.#read();
    if (noted === undefined) return undefined;
    const { ledger_id, created_at, path: at } = noted;
    return { ledger_id, created_at, path: at };
  }

  /** What a process that still runs is waiting for. */
  get hang(): (Hang & { pid: number }) | undefined {
    const hang = this.#read()?.hang;
    return hang !== undefined && isAlive(hang.pid) ? hang : undefined;
  }

  /** The storage answers. What another process is still waiting for stays noted. */
  answers(ledger: LedgerInfo): void {
    const noted = this.#read();
    const isKnown = noted?.ledger_id === ledger.ledger_id && noted.created_at === ledger.created_at;
    const others = noted?.hang !== undefined && noted.hang.pid !== process.pid && isAlive(noted.hang.pid);
    if (isKnown && (noted.hang === undefined || others)) return;
    this.#write({ ...ledger, ...(others && { hang: noted.hang }) });
  }

  /** The storage hangs. Since when is what was noted first, if the storage is not known to have answered after that. */
  hangs(ledger: LedgerInfo, hang: Hang, lastAnswerAt = 0): Hang {
    const known = this.#read()?.hang;
    if (known !== undefined && known.since < hang.since && known.since > lastAnswerAt) {
      if (!isAlive(known.pid)) this.#write({ ...ledger, hang: { ...known, pid: process.pid } });
      return { path: known.path, since: known.since };
    }
    this.#write({ ...ledger, hang: { ...hang, pid: process.pid } });
    return hang;
  }

  #read(): Noted | undefined {
    try {
      const value = JSON.parse(nodeIo.readText(this.#file)) as Partial<Noted>;
      if (value.path !== this.#ledger || typeof value.ledger_id !== 'string') return undefined;
      if (typeof value.created_at !== 'string' || !ID.test(value.ledger_id)) return undefined;
      const { hang } = value;
      const isHang =
        typeof hang?.path === 'string' && Number.isFinite(hang.since) && Number.isInteger(hang.pid);
      const { ledger_id, created_at } = value;
      return { ledger_id, created_at, path: this.#ledger, ...(isHang && { hang }) };
    } catch {
      return undefined;
    }
  }

  #write(noted: Noted): void {
    writeNote(this.#file, `${JSON.stringify(noted)}\n`);
  }
}

export interface NoteOptions {
  /** `--db`. */
  db?: string | undefined;
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
}

/** Where this machine remembers a ledger: beside the database. */
export function noteOf(
  ledger: string,
  { db, env = process.env, cwd = process.cwd() }: NoteOptions,
): LedgerNote {
  const named = db || env['RUNFOLD_DB'];
  const byDefault = databasePath({ env: {}, ledgerId: '', uid: process.getuid?.() ?? 0 });
  return new LedgerNote(ledger, {
    named: named ? path.resolve(cwd, named) : undefined,
    directory: path.dirname(byDefault),
  });
}

const ID = /^[0-9a-f-]{36}$/;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
