// Event lines -> a database, by way of the real projector, and the events as the model reads them.
import fc from 'fast-check';
import { IN_MEMORY, openForWriting, type Db } from '../../src/db/open.ts';
import { eventFilePath } from '../../src/events/layout.ts';
import { runId, type RunKey } from '../../src/events/run-id.ts';
import { Projector } from '../../src/projector/projector.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { readFiles, type Event, type ModelFile } from '../model/model-files.ts';
import { model, type Tables } from '../model/model.ts';

const START_MS = Date.UTC(2026, 10, 23, 10, 0, 0);
const MINUTE_MS = 60_000;

const WRITERS = [
  '01KAQ7000000000000000000A0',
  '01KAQ7000000000000000000A1',
  '01KAQ7000000000000000000A2',
] as const;
/** The file after those of the writers: lines that people wrote, whose seq is a byte offset from 0. */
export const HAND_MADE = WRITERS.length;
const FILES = HAND_MADE + 1;

export const anyFile: fc.Arbitrary<number> = fc.nat({ max: FILES - 1 });

export type Fields = Readonly<Record<string, unknown>>;

/** One line: in which file it comes next, and its fields; without a `seq` it has the next one. */
export interface Entry {
  file: number;
  fields: Fields;
}

/** A time as events write it. */
function minute(count: number): string {
  return new Date(START_MS + count * MINUTE_MS).toISOString();
}

/** A whole key of which only the seed is given. */
export function keyOf(seed: number | null, more: Partial<RunKey> = {}): RunKey {
  return {
    experiment_number: 1,
    dataset: 'iris',
    method: 'mlp',
    subject: null,
    cl_info: null,
    seed,
    ...more,
  };
}

export function created(key: RunKey, at: number, more: Fields = {}): Fields {
  return { type: 'run_created', ts: minute(at), run_id: runId(key), ...key, ...more };
}

export function of(key: RunKey, type: string, at: number, more: Fields = {}): Fields {
  return { type, ts: minute(at), run_id: runId(key), ...more };
}

/** A ledger that grows, and the database that follows it. */
export class TestLedger {
  readonly db: Db;
  readonly #storage = new MemoryStorage();
  readonly #projector: Projector;
  readonly #lines = new Map<number, number>();
  readonly #unwritten = new Map<string, string[]>();
  readonly #attempts: readonly (string | undefined)[];

  /** `attempts`: the default attempt in the header of each writer's file. */
  constructor(attempts: readonly (string | undefined)[] = [], file: string = IN_MEMORY) {
    this.#attempts = attempts;
    this.db = openForWriting(file);
    this.#projector = new Projector(this.db, LEDGER, this.#storage, { now: () => START_MS });
  }

  async add(entries: readonly Entry[]): Promise<void> {
    for (const { file, fields } of entries) this.#append(file, fields);
    for (const [path, lines] of this.#unwritten) {
      this.#storage.append(path, Buffer.from(lines.join('')), START_MS);
    }
    this.#unwritten.clear();
    await this.#projector.pass({ thorough: true });
  }

  /** What the model makes of the files. */
  tables(): Tables {
    return model(this.#files());
  }

  /** The events of all files, as the model reads them. */
  events(): Event[] {
    return readFiles(this.#files()).events;
  }

  #files(): ModelFile[] {
    return [...this.#storage.files].map(([path, { bytes }]) => ({ path, bytes, quiet: true }));
  }

  #append(file: number, fields: Fields): void {
    const writer = WRITERS[file];
    if (writer === undefined) {
      this.#write('events/manual/notes.ndjson', fields);
      return;
    }
    const path = eventFilePath(writer, 'host-1');
    const before = this.#lines.get(file) ?? 1;
    if (before === 1) this.#write(path, headerOf(writer, this.#attempts[file]));
    this.#lines.set(file, before + 1);
    this.#write(path, { seq: before + 1, ...fields });
  }

  #write(path: string, fields: Fields): void {
    const lines = this.#unwritten.get(path) ?? [];
    lines.push(`${JSON.stringify(fields)}\n`);
    this.#unwritten.set(path, lines);
  }
}

function headerOf(writer: string, attempt: string | undefined): Fields {
  return {
    type: 'writer_opened',
    ts: minute(0),
    seq: 1,
    format: 1,
    writer,
    origin: 'host-1',
    attempt,
    host: 'node1',
    pid: 1,
    user: 'ada',
    client: { name: 'test', version: '1' },
  };
}
