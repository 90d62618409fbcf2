// Lets a history happen to a ledger in memory while a projector follows it, dies and starts again.
import type { Clock } from '../../src/clock.ts';
import { IN_MEMORY, openForWriting, type Db } from '../../src/db/open.ts';
import { Projector, type ProjectorOptions } from '../../src/projector/projector.ts';
import type { Part, StorageProblem } from '../../src/projector/storage.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { PATHS, START_MS, type Action } from './history.ts';

const MINUTE_MS = 60_000;
const AWAY = '.away';

class Killed extends Error {}

/** Dies at the n-th read, as a process would: between two transactions. */
class FragileStorage extends MemoryStorage {
  readsLeft = Number.POSITIVE_INFINITY;

  override read(file: string, from: number, length: number): Promise<Part | StorageProblem> {
    this.readsLeft -= 1;
    return this.readsLeft < 0 ? Promise.reject(new Killed()) : super.read(file, from, length);
  }
}

export class World {
  readonly storage: FragileStorage = new FragileStorage();
  readonly db: Db = openForWriting(IN_MEMORY);
  #nowMs = START_MS;
  readonly #clock: Clock = { now: () => this.#nowMs };
  readonly #options: ProjectorOptions;
  #projector: Projector;
  readonly #halves = new Map<string, Buffer>();
  readonly #holes: { path: string; offset: number; bytes: Buffer }[] = [];
  readonly #away = new Map<string, string>();

  constructor(options: ProjectorOptions = {}) {
    this.#options = options;
    this.#projector = this.#start(this.db);
  }

  #start(db: Db): Projector {
    return new Projector(db, LEDGER, this.storage, this.#clock, this.#options);
  }

  async act(action: Action): Promise<void> {
    switch (action.type) {
      case 'append':
      case 'open':
        this.#append(action.file, `${action.line}${'terminator' in action ? action.terminator : '\n'}`);
        break;
      case 'half':
        this.#half(action.file, action.line, action.cut);
        break;
      case 'finish':
        this.#finishHalf(this.#pathOf(action.file));
        break;
      case 'repeat':
        this.#repeat(action.file, action.back);
        break;
      case 'hole':
        this.#hole(action);
        break;
      case 'fill':
        this.#fill(action.nth);
        break;
      case 'copy':
        this.#copy(action.file, action.to);
        break;
      case 'rename':
        this.#rename(action.file);
        break;
      case 'back':
        this.#bringBack(PATHS[action.file] ?? '');
        break;
      case 'pass':
        await this.#projector.pass({ thorough: action.thorough });
        break;
      case 'hint':
        await this.#projector.pass({ only: [this.#pathOf(action.file)] });
        break;
      case 'restart':
        this.#projector = this.#start(this.db);
        break;
      case 'kill':
        await this.#kill(action.after);
        break;
      case 'wait':
        this.#nowMs += action.minutes * MINUTE_MS;
        break;
    }
  }

  /** Everything is back and long past; what is there now is what counts. */
  async finish(): Promise<void> {
    for (const path of [...this.#away.keys()]) this.#bringBack(path);
    this.#nowMs += 24 * 60 * MINUTE_MS;
    await this.#projector.pass({ thorough: true });
  }

  /** A database made anew from the files. */
  async rebuilt(): Promise<Db> {
    const db = openForWriting(IN_MEMORY);
    await this.#start(db).pass({ thorough: true });
    return db;
  }

  #pathOf(file: number): string {
    return PATHS[file] ?? '';
  }

  #append(file: number, text: string): void {
    const path = this.#pathOf(file);
    if (this.#away.has(path)) return;
    this.#finishHalf(path);
    this.#write(path, Buffer.from(this.#number(path, text), 'utf8'));
  }

  #write(path: string, bytes: Buffer): void {
    this.storage.append(path, bytes, this.#nowMs);
  }

  /** Gives "next" the number that its line is to have: one more than lines so far. */
  #number(path: string, text: string): string {
    const before = this.storage.files.get(path)?.bytes.toString('utf8') ?? '';
    let seq = before.split('\n').filter((line) => line.trim() !== '').length;
    return text
      .replaceAll('"seq":"next"', () => {
        seq += 1;
        return `"seq":${seq}`;
      })
      .replaceAll('"events":"right"', () => `"events":${seq - 1}`);
  }

  #half(file: number, line: string, cut: number): void {
    const path = this.#pathOf(file);
    if (this.#away.has(path)) return;
    this.#finishHalf(path);
    const bytes = Buffer.from(`${this.#number(path, line)}\n`, 'utf8');
    const at = Math.min(cut, bytes.length - 1);
    this.#write(path, bytes.subarray(0, at));
    this.#halves.set(path, bytes.subarray(at));
  }

  #finishHalf(path: string): void {
    const rest = this.#halves.get(path);
    if (rest === undefined || this.#away.has(path)) return;
    this.#halves.delete(path);
    this.#write(path, rest);
  }

  #repeat(file: number, back: number): void {
    const path = this.#pathOf(file);
    if (this.#away.has(path)) return;
    this.#finishHalf(path);
    const lines = (this.storage.files.get(path)?.bytes ?? Buffer.alloc(0)).toString('latin1').split('\n');
    const line = lines.at(-2 - back);
    if (line !== undefined) this.#write(path, Buffer.from(`${line}\n`, 'latin1'));
  }

  #hole({ file, line, from, length }: Extract<Action, { type: 'hole' }>): void {
    const path = this.#pathOf(file);
    if (this.#away.has(path)) return;
    this.#finishHalf(path);
    const whole = Buffer.from(`${this.#number(path, line)}\n`, 'utf8');
    const start = Math.min(from, whole.length - 2);
    // the last LF is there: without it the whole would be a part that waits
    const end = Math.min(start + length, whole.length - 1);
    const holed = Buffer.from(whole).fill(0, start, end);
    const offset = (this.storage.files.get(path)?.bytes.length ?? 0) + start;
    this.#write(path, holed);
    this.#holes.push({ path, offset, bytes: whole.subarray(start, end) });
  }

  #fill(nth: number): void {
    const [hole] = this.#holes.splice(Math.min(nth, this.#holes.length - 1), 1);
    if (hole === undefined) return;
    const file = this.storage.files.get(hole.path) ?? this.storage.files.get(hole.path + AWAY);
    if (file === undefined) return;
    const bytes = Buffer.from(file.bytes);
    hole.bytes.copy(bytes, hole.offset);
    file.bytes = bytes;
  }

  /** Never over a file: what replaces bytes that were read is outside the law. */
  #copy(file: number, to: number): void {
    const found = this.storage.files.get(this.#pathOf(file));
    const target = this.#pathOf(to);
    if (found === undefined || this.storage.files.has(target) || this.#away.has(target)) return;
    this.#write(target, Buffer.from(found.bytes));
  }

  #rename(file: number): void {
    const path = this.#pathOf(file);
    const found = this.storage.files.get(path);
    if (found === undefined) return;
    this.storage.files.delete(path);
    this.storage.files.set(path + AWAY, found);
    this.#away.set(path, path + AWAY);
  }

  #bringBack(path: string): void {
    const away = this.#away.get(path);
    const found = away === undefined ? undefined : this.storage.files.get(away);
    if (away === undefined || found === undefined) return;
    this.storage.files.delete(away);
    this.storage.files.set(path, found);
    this.#away.delete(path);
  }

  async #kill(after: number): Promise<void> {
    this.storage.readsLeft = after;
    try {
      await this.#projector.pass({ thorough: true });
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    this.storage.readsLeft = Number.POSITIVE_INFINITY;
    this.#projector = this.#start(this.db);
  }
}
