// A ledger in memory: files are byte strings, and the test says what happens to them.
import type { LedgerInfo } from '../../src/events/ledger.ts';
import type { LedgerStorage, Listing, Part, StorageProblem } from '../../src/projector/storage.ts';

export interface MemoryFile {
  bytes: Buffer;
  mtimeMs: number;
  /** Whose it is; default root's. */
  uid?: number;
}

export const LEDGER: LedgerInfo = {
  ledger_id: '00000000-0000-4000-8000-000000000000',
  created_at: '2026-11-23T00:00:00.000Z',
  path: '/ledger',
};

export class MemoryStorage implements LedgerStorage {
  readonly files = new Map<string, MemoryFile>();

  identify(): Promise<LedgerInfo> {
    return Promise.resolve(LEDGER);
  }

  list(isWanted: (folder: string) => boolean = () => true): Promise<Listing> {
    const asked = new Map<string, boolean>();
    // once for each folder, as a directory is asked about
    const wanted = (folder: string): boolean => {
      const answer = asked.get(folder) ?? isWanted(folder);
      asked.set(folder, answer);
      return answer;
    };
    const paths = [...this.files.keys()].filter(
      (path) => path.endsWith('.ndjson') && wanted(path.split('/')[1] ?? ''),
    );
    const folders = new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))));
    // a folder whose files were all renamed away is there still
    for (const folder of this.#everUsed) if (wanted(folder.split('/')[1] ?? '')) folders.add(folder);
    for (const folder of folders) this.#everUsed.add(folder);
    return Promise.resolve({ files: paths.toSorted(), strangers: [], folders });
  }

  readonly #everUsed = new Set<string>();

  read(file: string, from: number, length: number): Promise<Part | StorageProblem> {
    const found = this.files.get(file);
    if (found === undefined) return Promise.resolve({ path: file, reason: 'ENOENT' });
    const { bytes, mtimeMs, uid = 0 } = found;
    const end = Math.min(bytes.length, from + Math.max(0, length));
    const part = { size: bytes.length, mtimeMs, uid, gid: 0, links: 1 };
    return Promise.resolve({ ...part, bytes: Buffer.from(bytes.subarray(from, end)) });
  }

  append(path: string, bytes: Buffer, mtimeMs: number): void {
    const before = this.files.get(path);
    const whole = Buffer.concat([before?.bytes ?? Buffer.alloc(0), bytes]);
    this.files.set(path, { ...before, bytes: whole, mtimeMs });
  }
}
