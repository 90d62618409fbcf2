// Reads of files in folders. What is asked for at the same moment shares the opening of its folder.
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { errnoOf, messageOf } from '../errors.ts';
import { OPEN_FLAGS } from '../events/file-io.ts';
import type { CallCount } from './call-count.ts';
import type { FileCalls } from './file-calls.ts';
import type { Inside, OpenFolder } from './inside.ts';
import { kindOf } from './kind-of.ts';
import type { Part, StorageProblem } from './storage.ts';

/** Enough to keep Node's threads at work; more would only wait in a queue. */
const PARALLEL = 16;

interface Request {
  file: string;
  from: number;
  length: number;
  into: Uint8Array | undefined;
  answer: (result: Part | StorageProblem) => void;
}

export class FolderReads {
  readonly #inside: Inside;
  readonly #count: CallCount;
  readonly #calls: FileCalls;
  #asked = new Map<string, Request[]>();

  constructor(inside: Inside, count: CallCount, calls: FileCalls) {
    this.#inside = inside;
    this.#count = count;
    this.#calls = calls;
  }

  /** A path that cannot be read is a value, not an exception. */
  read(file: string, from: number, length: number, into?: Uint8Array): Promise<Part | StorageProblem> {
    return new Promise((answer) => {
      if (this.#asked.size === 0) queueMicrotask(() => this.#serve());
      const folder = path.posix.dirname(file);
      const request = { file, from, length, into, answer };
      const others = this.#asked.get(folder);
      if (others === undefined) this.#asked.set(folder, [request]);
      else others.push(request);
    });
  }

  #serve(): void {
    const asked = this.#asked;
    this.#asked = new Map();
    for (const [folder, requests] of asked) void this.#serveFolder(folder, requests);
  }

  async #serveFolder(folder: string, requests: readonly Request[]): Promise<void> {
    let opened: OpenFolder;
    // calls that are made at once give signals and timers no turn
    await setImmediate();
    this.#count.add(FOLDER_CALLS);
    try {
      // on NFS, without opening its directory first, a path may stand for an older file for most of a minute
      opened = await this.#inside.open(folder);
    } catch (error) {
      for (const { file, answer } of requests) answer(problem(file, error));
      return;
    }
    const next = requests.values();
    const serveOn = async (): Promise<void> => {
      for (const request of next) request.answer(await this.#readFile(opened, request));
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, requests.length) }, serveOn));
    await this.#release(() => opened.close());
  }

  async #readFile(folder: OpenFolder, request: Request): Promise<Part | StorageProblem> {
    const { file, from, length, into } = request;
    try {
      this.#count.add(1);
      const descriptor = await this.#calls.open(folder.at(path.posix.basename(file)), OPEN_FLAGS.read);
      try {
        this.#count.add(2);
        const stats = await this.#calls.stat(descriptor);
        if (!stats.isFile()) return { path: file, reason: kindOf(stats) };
        const there = Math.min(length, stats.size - from);
        const bytes = there <= 0 ? NOTHING : await this.#readFully(descriptor, from, room(there, into));
        const { size, mtimeMs, uid, gid, nlink: links } = stats;
        return { size, mtimeMs, uid, gid, links, bytes };
      } finally {
        await this.#release(() => this.#calls.close(descriptor));
      }
    } catch (error) {
      return problem(file, error);
    }
  }

  async #release(close: () => void | Promise<void>): Promise<void> {
    try {
      await close();
    } catch {
      // it was opened for reading: there is nothing that closing it could lose
    }
  }

  async #readFully(descriptor: number, from: number, bytes: Buffer): Promise<Buffer> {
    let filled = 0;
    while (filled < bytes.length) {
      this.#count.add(1);
      const got = await this.#calls.read(descriptor, bytes, filled, bytes.length - filled, from + filled);
      if (got === 0) break;
      filled += got;
    }
    return bytes.subarray(0, filled);
  }
}

/** Open and close. */
const FOLDER_CALLS = 2;
const NOTHING = Buffer.alloc(0);

function room(length: number, into: Uint8Array | undefined): Buffer {
  if (into === undefined || into.length < length) return Buffer.allocUnsafe(length);
  return Buffer.from(into.buffer, into.byteOffset, length);
}

function problem(file: string, error: unknown): StorageProblem {
  return { path: file, reason: errnoOf(error) ?? messageOf(error) };
}
