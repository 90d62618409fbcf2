// One event file and the page cache of the node that writes it: what was written, and what of it the server has.
import type { Server } from './server.ts';

export class EventFile {
  readonly path: string;
  /** All that was ever written, also what a power cut took. */
  issued: Buffer = Buffer.alloc(0);
  /** So much of it an fsync has returned for. */
  acknowledged = 0;
  /** Set while somebody has moved or cut the file: its writer's node keeps what it has. */
  isAway = false;
  readonly #server: Server;
  readonly #pageBytes: number;
  /** By page, the part of it that the server does not have. */
  readonly #dirty = new Map<number, { from: number; to: number }>();

  constructor(path: string, server: Server, pageBytes: number) {
    this.path = path;
    this.#server = server;
    this.#pageBytes = pageBytes;
  }

  get hasDirtyPages(): boolean {
    return this.#dirty.size > 0;
  }

  write(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    let from = this.issued.length;
    this.issued = Buffer.concat([this.issued, bytes]);
    while (from < this.issued.length) {
      const page = Math.floor(from / this.#pageBytes);
      const to = Math.min(this.issued.length, (page + 1) * this.#pageBytes);
      this.#dirty.set(page, { from: this.#dirty.get(page)?.from ?? from, to });
      from = to;
    }
  }

  /** Brings the pages that are wanted to the server, each as a write of its own. */
  flush(mtimeMs: number, wanted: (page: number) => boolean = () => true): void {
    if (this.isAway) return;
    for (const [page, { from, to }] of [...this.#dirty].filter(([page]) => wanted(page))) {
      this.#server.write(this.path, from, this.issued.subarray(from, to), mtimeMs);
      this.#dirty.delete(page);
    }
  }

  fsync(mtimeMs: number): void {
    this.flush(mtimeMs);
    if (!this.isAway) this.acknowledged = this.issued.length;
  }

  /** The node has lost its power: what the server does not have is lost. */
  losePages(): { lost: boolean; holed: boolean } {
    const lost = this.hasDirtyPages;
    this.#dirty.clear();
    return { lost, holed: this.#server.files.get(this.path)?.bytes.includes(0) === true };
  }
}
