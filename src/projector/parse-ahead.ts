// Parses chunks on another thread while this one inserts. Only ever faster: without it all goes on here.
import { Worker } from 'node:worker_threads';
import { MARKER_BYTES } from './file-state.ts';
import { CHUNK_BYTES } from './intake.ts';
import {
  columnSpace,
  metricColumns,
  type ColumnSpace,
  type MetricColumns,
  type SpacedColumns,
} from './metric-columns.ts';

/** A place for one chunk, which may be parsed there by the time it is needed; what is not is parsed then. */
export interface AheadChunk {
  /** Where its bytes are best read to: what is elsewhere has to be copied. */
  readonly room: Uint8Array | undefined;
  /** Hands the chunk over, once at most; a line begins at `from`, and where lines are is counted from there. */
  begin(bytes: Buffer, from: number): void;
  /** The metric lines of what was handed over; undefined if who asks has to parse all of them. Called at most once. */
  take(): Promise<SpacedColumns | undefined>;
  /** What is in `room`, and the columns that were taken, are no longer looked at. */
  release(): void;
}

export interface ParseAhead {
  chunk(): AheadChunk;
  end(): Promise<void>;
}

/** Memory that both threads see, for one chunk and its columns. Used again, for the collector would come late. */
interface Slot {
  bytes: Uint8Array;
  space: ColumnSpace;
  /** Whoever sets it first parses the chunk: nobody waits for a worker that is still starting or behind. */
  claimed: Int32Array;
}

export interface Task extends Slot {
  id: number;
  from: number;
  to: number;
}

export interface TaskResult {
  id: number;
  columns: MetricColumns | undefined;
}

export function columnsOf(
  { bytes, space }: Pick<Slot, 'bytes' | 'space'>,
  from: number,
  to: number,
): MetricColumns {
  return metricColumns(Buffer.from(bytes.buffer, from, to - from), space);
}

export function claim(claimed: Int32Array): boolean {
  return Atomics.exchange(claimed, 0, 1) === 0;
}

const SLOT_BYTES = CHUNK_BYTES + MARKER_BYTES;
/**
 * In MB. What was parsed of a chunk lives until the next one, and a nursery that holds it spares the collector
 * from copying it. What a strange line needs beyond the whole is parsed without the worker.
 */
const LIMITS = { maxYoungGenerationSizeMb: 32, maxOldGenerationSizeMb: 128 };

export class WorkerParseAhead implements ParseAhead {
  /** Undefined once it has failed or ended. */
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, (columns: MetricColumns | undefined) => void>();
  readonly #free: Slot[] = [];
  #lastId = 0;

  constructor() {
    // compiled code alone: Node 20 runs no TypeScript, and where this file is one the worker fails to start
    this.#worker = new Worker(new URL('parse-worker.js', import.meta.url), {
      // what this process was started with (--import, --input-type, --inspect) is not for the worker
      execArgv: [],
      resourceLimits: LIMITS,
    });
    this.#worker.on('message', ({ id, columns }: TaskResult) => this.#settle(id, columns));
    this.#worker.on('error', () => this.#giveUp());
    this.#worker.on('exit', () => this.#giveUp());
    this.#worker.unref();
  }

  chunk(): AheadChunk {
    if (this.#worker === undefined) return NOT_AHEAD;
    const slot = this.#free.pop() ?? newSlot();
    let task: Task | undefined;
    let answer: Promise<MetricColumns | undefined> = Promise.resolve(undefined);
    return {
      room: slot.bytes,
      begin: (bytes, from) => {
        if (bytes.length > SLOT_BYTES) return;
        if (bytes.buffer !== slot.bytes.buffer) slot.bytes.set(bytes);
        task = { ...slot, id: (this.#lastId += 1), from, to: bytes.length };
        answer = this.#hand(task);
      },
      take: async () => {
        if (task === undefined) return undefined;
        const there = claim(slot.claimed) ? undefined : await this.#keepAlive(answer);
        return { columns: there ?? columnsOf(slot, task.from, task.to), space: slot.space };
      },
      // the worker may not have looked at it yet
      release: () => void answer.then(() => this.#free.push(slot)),
    };
  }

  #hand(task: Task): Promise<MetricColumns | undefined> {
    Atomics.store(task.claimed, 0, 0);
    if (this.#worker === undefined) return Promise.resolve(undefined);
    this.#worker.postMessage(task, []);
    return new Promise((resolve) => this.#waiting.set(task.id, resolve));
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  /** While the worker is waited for, the process must not end for want of anything to do. */
  async #keepAlive<T>(answer: Promise<T>): Promise<T> {
    this.#worker?.ref();
    const value = await answer;
    this.#worker?.unref();
    return value;
  }

  #settle(id: number, columns: MetricColumns | undefined): void {
    this.#waiting.get(id)?.(columns);
    this.#waiting.delete(id);
  }

  #giveUp(): void {
    this.#worker = undefined;
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }
}

function newSlot(): Slot {
  return {
    bytes: new Uint8Array(new SharedArrayBuffer(SLOT_BYTES)),
    space: columnSpace(SLOT_BYTES),
    claimed: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
  };
}

const NOT_AHEAD: AheadChunk = {
  room: undefined,
  begin: () => undefined,
  take: () => Promise.resolve(undefined),
  release: () => undefined,
};
