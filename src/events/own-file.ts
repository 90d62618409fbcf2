// The one event file of a writer: its name, how it comes to be, how it is opened again after an error.
import path from 'node:path';
import { ulid } from 'ulid';
import { errnoOf } from '../errors.ts';
import { ensureDirectory, OPEN_FLAGS, syncDirectory, type FileIo } from './file-io.ts';
import { readLedger } from './ledger.ts';
import { eventFilePath } from './layout.ts';
import { LineFile } from './line-file.ts';
import { sharedMode, shareFile, shareFolder } from './shared-mode.ts';

export interface OwnFileOptions {
  io: FileIo;
  /** Absolute path of the ledger's directory, whether it is there or not. */
  ledger: string;
  origin: string;
  now: () => number;
  /** A ULID of the given time in milliseconds. */
  newId?: (time: number) => string;
}

const ID_TRIES = 4;

export class OwnFile {
  readonly #io: FileIo;
  readonly #ledger: string;
  readonly #origin: string;
  readonly #newId: () => string;
  #id: string;
  /** Whether the id is in use, in a header or in the spool: it stays from then on. */
  #isIdFixed = false;
  #wasOpen = false;

  constructor(options: OwnFileOptions) {
    const { io, ledger, origin, now, newId = ulid } = options;
    this.#io = io;
    this.#ledger = ledger;
    this.#origin = origin;
    this.#newId = () => newId(now());
    this.#id = this.#newId();
  }

  /** The writer's ULID; it may change until the first `open` has returned or thrown. */
  get id(): string {
    return this.#id;
  }

  get path(): string {
    return path.join(this.#ledger, ...eventFilePath(this.#id, this.#origin).split('/'));
  }

  /**
   * Opens the file; the first time it makes it, never where there is no ledger.
   *
   * @throws RunfoldError of `readLedger`; a system error.
   */
  open(): LineFile {
    const canRename = !this.#isIdFixed;
    this.#isIdFixed = true;
    readLedger(this.#ledger, this.#io);
    const file = this.#wasOpen ? this.#reopen() : this.#make(canRename);
    this.#wasOpen = true;
    return file;
  }

  #make(canRename: boolean): LineFile {
    for (let tries = 1; ; tries += 1) {
      const day = path.dirname(this.path);
      const events = path.dirname(day);
      // at most the two that belong to the ledger, which is there
      ensureDirectory(this.#io, events, 0o777);
      const shared = sharedMode(this.#io, events);
      const isNew = ensureDirectory(this.#io, day, 0o777);
      if (isNew && shared !== undefined) shareFolder(this.#io, day, shared);
      try {
        const fd = this.#io.open(this.path, OPEN_FLAGS.create, 0o666);
        if (shared !== undefined) shareFile(this.#io, fd, shared);
        syncDirectory(this.#io, day);
        syncDirectory(this.#io, events);
        return new LineFile(this.#io, fd, false);
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
        // With an id in use the file is ours: made by an open whose answer got lost, or by the mend that was
        // printed for the spool. Nobody else has these 80 random bits.
        if (!canRename) return this.#reopen();
        if (tries === ID_TRIES) throw error;
        this.#id = this.#newId();
      }
    }
  }

  /** Without O_CREAT: a file that somebody removed is not begun again without its first lines. */
  #reopen(): LineFile {
    return new LineFile(this.#io, this.#io.open(this.path, OPEN_FLAGS.append, 0o666), true);
  }
}
