// One node's NFS client: what it believes of the server's files, and what it says when it is asked.
import { RunfoldError } from '../../src/errors.ts';
import type { LedgerInfo } from '../../src/events/ledger.ts';
import type { Listing, Part, StorageProblem } from '../../src/projector/storage.ts';
import { LEDGER } from '../helpers/memory-storage.ts';
import type { Coverage } from './coverage.ts';
import type { Server, ServerFile } from './server.ts';
import { Weather } from './spells.ts';

/** Attributes, names and failed lookups are believed for so long at most. */
const CACHE_MS = 60_000;
const SLOWEST_PAGE_MS = 10 * 60_000;
const ERRNOS = ['ESTALE', 'EIO', 'EACCES', 'EMFILE', 'ENOENT'] as const;

interface LatePage {
  from: number;
  to: number;
  readyAt: number;
}

interface Known<T> {
  value: T;
  untilMs: number;
}

export class Client {
  readonly weather = new Weather();
  readonly #server: Server;
  readonly #now: () => number;
  readonly #pageBytes: number;
  readonly #coverage: Coverage;
  #attributes = new Map<number, Known<{ size: number; mtimeMs: number; of: ServerFile }>>();
  #handles = new Map<string, Known<ServerFile>>();
  #negative = new Map<string, number>();
  #names = new Map<string, Known<string[]>>();
  #late = new Map<ServerFile, LatePage[]>();
  #seen = new Map<ServerFile, number>();
  /** Whether the last call that told the log apart found it: what fails after it fails within a pass. */
  #isWithinPass = false;

  constructor(server: Server, pageBytes: number, now: () => number, coverage: Coverage) {
    this.#server = server;
    this.#pageBytes = pageBytes;
    this.#now = now;
    this.#coverage = coverage;
  }

  /** Another mount: a new device number, and nothing is known any more. */
  remount(): void {
    this.#attributes.clear();
    this.#handles.clear();
    this.#negative.clear();
    this.#names.clear();
    this.#late.clear();
    this.#seen.clear();
    this.#coverage.hit('remount');
  }

  /** For how long the call hangs, in milliseconds; a few otherwise. */
  latency(): number {
    const random = this.weather.strikes('hangs', this.#now());
    return random === undefined ? 3 : 1 + random.below(300) ** 2;
  }

  identify(): LedgerInfo {
    this.#isWithinPass = false;
    const path = `${LEDGER.path}/ledger.json`;
    if (this.#strikes('empty')) return this.#away('mount point empty', 'ledger_not_found', path);
    if (this.#strikes('away')) return this.#away('mount away', 'ledger_not_found', path);
    if (this.#strikes('unreadable')) return this.#away('ledger.json unreadable', 'ledger_unreadable', path);
    if (this.#strikes('otherMount')) {
      this.#coverage.hit('another file system mounted');
      return { ...LEDGER, ledger_id: '00000000-0000-4000-8000-00000000000f' };
    }
    this.#isWithinPass = true;
    return LEDGER;
  }

  #strikes(kind: Parameters<Weather['strikes']>[0]): boolean {
    return this.weather.strikes(kind, this.#now()) !== undefined;
  }

  #away(
    what: Parameters<Coverage['hit']>[0],
    code: 'ledger_not_found' | 'ledger_unreadable',
    path: string,
  ): never {
    this.#coverage.hit(what);
    throw new RunfoldError(code, path);
  }

  /** What any call may come to; undefined if it goes on. */
  #failure(): string | undefined {
    if (this.#strikes('away') || this.#strikes('empty')) {
      if (this.#isWithinPass) this.#coverage.hit('mount away within a pass');
      return 'ENOENT';
    }
    const random = this.weather.strikes('errors', this.#now());
    if (random === undefined) return undefined;
    const errno = random.pick(ERRNOS);
    this.#coverage.hit(errno === 'ENOENT' ? 'ENOENT once' : errno);
    return errno;
  }

  list(wanted: (folder: string) => boolean): Listing {
    const failure = this.#failure();
    if (failure !== undefined) {
      this.#coverage.hit('readdir failed');
      throw Object.assign(new Error(`${failure}: readdir`), { code: failure });
    }
    const listing: Listing = { files: [], strangers: [], folders: new Set() };
    for (const folder of this.#namesIn('', [...this.#server.folders].toSorted())) {
      if (wanted(folder.slice(folder.indexOf('/') + 1))) this.#listFolder(folder, listing);
    }
    listing.files.sort();
    return listing;
  }

  #listFolder(folder: string, listing: Listing): void {
    const odd = this.weather.strikes('directoryOdd', this.#now());
    const kind = odd?.below(3);
    if (kind === 0) {
      this.#coverage.hit('folder not listed');
      listing.strangers.push({ path: folder, reason: 'EIO' });
      return;
    }
    const there = [...this.#server.files.keys()].filter((path) => path.startsWith(`${folder}/`));
    const names = this.#namesIn(folder, there);
    listing.folders.add(folder);
    if (odd !== undefined && kind === 1 && names.length > 0) {
      names.splice(odd.below(names.length), 1);
      this.#coverage.hit('name not listed');
    } else if (kind === 2 && names.length > 0) {
      names.push(...names);
      this.#coverage.hit('name listed twice');
    }
    listing.files.push(...names);
  }

  /** The names in a directory, as they are or as they were. */
  #namesIn(directory: string, there: string[]): string[] {
    const known = this.#names.get(directory);
    const late = this.weather.strikes('directoryLate', this.#now());
    if (late !== undefined && known !== undefined && known.untilMs > this.#now()) {
      if (known.value.join('\n') !== there.join('\n')) this.#coverage.hit('directory late');
      return [...known.value];
    }
    this.#names.set(directory, { value: there, untilMs: this.#now() + (late?.below(CACHE_MS) ?? CACHE_MS) });
    return [...there];
  }

  read(path: string, from: number, length: number): Part | StorageProblem {
    const failure = this.#failure();
    if (failure !== undefined) return { path, reason: failure };
    const file = this.#lookUp(path);
    if (typeof file === 'string') return { path, reason: file };
    const { size, mtimeMs } = this.#attributesOf(file, from);
    const end = Math.max(from, Math.min(size, file.bytes.length, from + Math.max(0, length)));
    const bytes = Buffer.from(file.bytes.subarray(from, end));
    this.#zeroLatePages(file, bytes, from, size);
    if (end === file.bytes.length && end > from) this.#coverage.hit('read to its end');
    return { size, mtimeMs, bytes: this.#torn(bytes) };
  }

  #torn(bytes: Buffer): Buffer {
    const random = this.weather.strikes('torn', this.#now());
    if (random === undefined || bytes.length === 0) return bytes;
    this.#coverage.hit('last page torn');
    return bytes.subarray(0, random.below(bytes.length));
  }

  #lookUp(path: string): ServerFile | 'ENOENT' | 'ESTALE' {
    const now = this.#now();
    const there = this.#server.files.get(path);
    if ((this.#negative.get(path) ?? 0) > now && this.#strikes('negative')) {
      if (there !== undefined) this.#coverage.hit('negative lookup');
      return 'ENOENT';
    }
    const old = this.#handles.get(path);
    const random = this.weather.strikes('oldFile', now);
    if (random !== undefined && old !== undefined && old.untilMs > now && old.value !== there) {
      const isStale = random.below(2) === 0;
      this.#coverage.hit(isStale ? 'ESTALE at a path' : 'old file at a path');
      return isStale ? 'ESTALE' : old.value;
    }
    if (there === undefined) {
      this.#negative.set(path, now + CACHE_MS);
      return 'ENOENT';
    }
    this.#handles.set(path, { value: there, untilMs: now + CACHE_MS });
    return there;
  }

  #attributesOf(file: ServerFile, from: number): { size: number; mtimeMs: number } {
    const now = this.#now();
    const back = this.weather.strikes('sizeBack', now);
    if (back !== undefined) {
      const size = back.pick(file.sizes);
      if (size < from) this.#coverage.hit('size back');
      return { size, mtimeMs: file.mtimeMs };
    }
    const known = this.#attributes.get(file.inode);
    const late = this.weather.strikes('sizeLate', now);
    if (late !== undefined && known !== undefined && known.untilMs > now) {
      const { size, mtimeMs, of } = known.value;
      if (of !== file) this.#coverage.hit('size of another file (inode reused)');
      else if (size !== file.bytes.length) this.#coverage.hit('size late');
      return { size, mtimeMs };
    }
    const value = { size: file.bytes.length, mtimeMs: file.mtimeMs, of: file };
    this.#attributes.set(file.inode, { value, untilMs: now + (late?.below(CACHE_MS) ?? CACHE_MS) });
    return value;
  }

  #zeroLatePages(file: ServerFile, bytes: Buffer, from: number, size: number): void {
    const now = this.#now();
    const seen = this.#seen.get(file) ?? 0;
    const pages = (this.#late.get(file) ?? []).filter(({ readyAt }) => readyAt > now);
    const late = this.weather.strikes('pagesLate', now);
    if (late !== undefined && size > seen) pages.push(...this.#pagesOf(seen, size, late));
    const lost = this.weather.strikes('pagesLost', now);
    if (lost !== undefined && seen > 0) {
      const at = lost.below(seen);
      pages.push({ from: at, to: Math.min(seen, at + this.#pageBytes), readyAt: now + lost.below(CACHE_MS) });
    }
    this.#seen.set(file, Math.max(seen, size));
    this.#late.set(file, pages);
    for (const page of pages) {
      const start = Math.max(0, page.from - from);
      const end = Math.min(bytes.length, page.to - from);
      if (start >= end) continue;
      this.#coverage.hit(page.to <= seen ? 'NULs where text was read' : 'pages as NULs');
      bytes.fill(0, start, end);
    }
    if (pages.length > 1 && pages.some(({ readyAt }, i) => readyAt < (pages[i - 1]?.readyAt ?? 0))) {
      this.#coverage.hit('pages filled in any order');
    }
  }

  /** The pages of a range, some of them late, each by a time of its own. */
  #pagesOf(from: number, to: number, random: ReturnType<Weather['strikes']> & object): LatePage[] {
    const pages: LatePage[] = [];
    for (let at = from; at < to;) {
      const end = Math.min(to, (Math.floor(at / this.#pageBytes) + 1) * this.#pageBytes);
      // most within milliseconds, some so late that the line is given up before
      const ms = random.below(4) === 0 ? random.below(SLOWEST_PAGE_MS) : random.below(500);
      if (random.below(2) === 0) pages.push({ from: at, to: end, readyAt: this.#now() + ms });
      at = end;
    }
    return pages;
  }
}
