// That a projector never takes back what it has read, and what became of files meanwhile.
import { expect } from 'vitest';
import type { Db } from '../../src/db/open.ts';
import type { Coverage, Fault } from './coverage.ts';
import { filesOf, holedFiles, type FileRow } from './oracle.ts';

const STATES: Readonly<Record<string, Fault>> = {
  'frozen truncated': 'frozen: truncated',
  'frozen rewritten': 'frozen: rewritten',
  'missing gone': 'missing: gone',
  'live nul_hole': 'waits for a hole',
  'live nul_before_offset': 'NULs before the offset',
  complete: 'complete',
  quiet: 'quiet',
  misplaced: 'misplaced',
};

export class Progress {
  readonly #coverage: Coverage;
  #before = new Map<string, FileRow>();
  #holed = new Set<string>();
  #noted = '';

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  /** False if nothing has changed. */
  note(db: Db): boolean {
    const files = filesOf(db);
    const holed = holedFiles(db);
    const noted = JSON.stringify([files, [...holed]]);
    if (noted === this.#noted) return false;
    this.#noted = noted;
    for (const file of files) {
      const before = this.#before.get(file.path);
      this.#count(file, before, holed);
      // what follows a hole that was given up is provisional; a writer's file may yield to another one; a rebuild has
      // nothing to lose of a file without events
      const mayGoBack = this.#holed.has(file.path) || file.state === 'misplaced' || before?.events === 0;
      if (!mayGoBack) expect(file.offset, file.path).toBeGreaterThanOrEqual(before?.offset ?? 0);
    }
    // a file of which nothing was read, as one that is misplaced, may be forgotten
    for (const { path, events } of this.#before.values()) {
      if (events > 0) expect(files.map((file) => file.path)).toContain(path);
    }
    this.#before = new Map(files.map((file) => [file.path, file]));
    // a file that is read again from its start may be so in several passes
    for (const path of this.#holed) {
      const file = this.#before.get(path);
      if (!holed.has(path) && file !== undefined && file.offset === 0) holed.add(path);
    }
    this.#holed = holed;
    return true;
  }

  #count(file: FileRow, before: FileRow | undefined, holed: ReadonlySet<string>): void {
    const fault = STATES[`${file.state} ${file.reason}`] ?? STATES[file.state];
    if (fault !== undefined) this.#coverage.hit(fault);
    if (file.state === 'missing' && file.reason !== 'gone') this.#coverage.hit('missing: unreadable');
    if (before?.state === 'missing' && file.state !== 'missing') this.#coverage.hit('found again');
    if (before?.state === 'frozen' && file.state !== 'frozen') this.#coverage.hit('thawed');
    if (holed.has(file.path)) this.#coverage.hit('hole given up');
    if (this.#holed.has(file.path) && !holed.has(file.path)) {
      this.#coverage.hit('hole filled after it was given up');
    }
  }
}
