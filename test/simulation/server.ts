// The truth of the simulation: what the file server holds. A page that has not come from its writer is NULs.

export interface ServerFile {
  inode: number;
  bytes: Buffer;
  mtimeMs: number;
  /** All sizes that it had, the latest last: what a client may still believe. */
  sizes: number[];
}

/** Files by path; a client that knows one still has it when it is removed. */
export class Server {
  readonly files = new Map<string, ServerFile>();
  readonly folders = new Set<string>();
  readonly #free: number[] = [];
  #lastInode = 100;

  create(path: string, nowMs: number): ServerFile {
    // the number of a file that is gone goes to the next one, as file systems do
    const inode = this.#free.pop() ?? (this.#lastInode += 1);
    const file = { inode, bytes: Buffer.alloc(0), mtimeMs: nowMs, sizes: [0] };
    this.files.set(path, file);
    this.folders.add(path.slice(0, path.lastIndexOf('/')));
    return file;
  }

  write(path: string, offset: number, bytes: Buffer, mtimeMs: number): void {
    const file = this.files.get(path) ?? this.create(path, mtimeMs);
    const end = Math.max(file.bytes.length, offset + bytes.length);
    const next = Buffer.alloc(end);
    file.bytes.copy(next);
    bytes.copy(next, offset);
    if (end !== file.bytes.length) file.sizes.push(end);
    file.bytes = next;
    file.mtimeMs = mtimeMs;
  }

  remove(path: string): Buffer | undefined {
    const file = this.files.get(path);
    if (file === undefined) return undefined;
    this.files.delete(path);
    this.#free.push(file.inode);
    return file.bytes;
  }

  truncate(path: string, size: number, nowMs: number): void {
    const file = this.files.get(path);
    if (file === undefined) return;
    file.bytes = file.bytes.subarray(0, size);
    file.mtimeMs = nowMs;
    file.sizes.push(size);
  }
}
