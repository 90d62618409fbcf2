// Bad weather on one node: for how long which call of its NFS client goes wrong, and how often.
import { Random } from '../process/random.ts';

export const SPELLS = [
  'errors', // any call: ESTALE, EIO, EACCES, EMFILE, ENOENT
  'hangs',
  'sizeLate', // attributes are cached for up to 60 s, though the file is opened anew
  'sizeBack', // an older size, now and then
  'pagesLate', // what is new in a file is NULs at first, page by page, and comes in any order
  'pagesLost', // a page that was read before is NULs for a while
  'torn', // fewer bytes than the size says
  'oldFile', // a path stands for the file that it stood for before, or for none (ESTALE)
  'negative', // a path that was not there once is not there for up to 60 s
  'directoryLate', // listings are cached for up to 60 s
  'directoryOdd', // names listed twice or not at all, folders not at all, readdir fails
  'away', // the mount is gone: nothing can be reached
  'empty', // an empty mount point
  'otherMount', // another log is mounted there
  'unreadable', // ledger.json cannot be read
] as const;

export type SpellKind = (typeof SPELLS)[number];

export interface Spell {
  kind: SpellKind;
  untilMs: number;
  perMille: number;
  random: Random;
}

export class Weather {
  #spells: Spell[] = [];

  begin(kind: SpellKind, untilMs: number, perMille: number, seed: number): void {
    this.#spells.push({ kind, untilMs, perMille, random: new Random(seed) });
  }

  /** Numbers for what goes wrong with this call, or undefined if nothing of the kind does. */
  strikes(kind: SpellKind, nowMs: number): Random | undefined {
    this.#spells = this.#spells.filter(({ untilMs }) => untilMs > nowMs);
    return this.#spells.find((spell) => spell.kind === kind && spell.random.below(1000) < spell.perMille)
      ?.random;
  }

  clear(): void {
    this.#spells = [];
  }
}
