// A file system in memory whose every call can be made to fail, and that knows what a power cut would leave.
import { Buffer } from 'node:buffer';
import type { FileIo } from '../../src/events/file-io.ts';

export type IoCall = 'open' | 'write' | 'read' | 'fsync' | 'close' | 'mkdir' | 'unlink' | 'readText';

/** `landed`: of a write, how many bytes went in before the error, or in all if there is no code (a short write). */
export interface Fault {
  code?: string;
  landed?: number;
  /** Of a failed write or fsync: whether what was not yet durable turns to zeros, as pages thrown away do. */
  loses?: boolean;
}

interface FakeFile {
  bytes: Buffer;
  durable: number;
}

const LEDGER_JSON = JSON.stringify({
  format: 'runfold',
  version: 1,
  ledger_id: '6b1c8a04-93f4-4f41-9e66-7f2f0cf0a001',
  created_at: '2026-11-23T10:00:00.000Z',
});

export class FakeDisk implements FileIo {
  readonly files = new Map<string, FakeFile>();
  readonly calls: { call: IoCall; path: string }[] = [];
  /** Asked before each call; what it returns happens instead. */
  fault: (call: IoCall, path: string) => Fault | undefined = () => undefined;
  hasLedger = true;
  spoolMode = 0o40700;
  spoolUid: number | undefined = process.getuid?.();
  readonly #open = new Map<number, string>();
  #nextFd = 10;

  open(path: string, flags: number): number {
    this.#meet('open', path);
    const file = this.files.get(path);
    // O_DIRECTORY
    if ((flags & 0o200000) === 0) {
      const creates = (flags & 0o100) !== 0;
      if (creates && file !== undefined) throw systemError('EEXIST', 'open', path);
      if (!creates && file === undefined) throw systemError('ENOENT', 'open', path);
      if (creates) this.files.set(path, { bytes: Buffer.alloc(0), durable: 0 });
    }
    this.#nextFd += 1;
    this.#open.set(this.#nextFd, path);
    return this.#nextFd;
  }

  write(fd: number, bytes: Uint8Array): number {
    const path = this.#pathOf(fd);
    const fault = this.#look('write', path);
    const landed = Math.min(fault?.landed ?? (fault?.code === undefined ? bytes.length : 0), bytes.length);
    const file = this.#file(path);
    file.bytes = Buffer.concat([file.bytes, bytes.subarray(0, landed)]);
    if (fault?.loses === true) file.bytes.fill(0, file.durable);
    if (fault?.code !== undefined) throw systemError(fault.code, 'write', path);
    return landed;
  }

  read(fd: number, into: Uint8Array, position: number): number {
    const path = this.#pathOf(fd);
    this.#meet('read', path);
    const part = this.#file(path).bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  fsync(fd: number): void {
    const path = this.#pathOf(fd);
    const fault = this.#look('fsync', path);
    const file = this.files.get(path);
    if (fault?.code !== undefined) {
      if (fault.loses === true) file?.bytes.fill(0, file.durable);
      throw systemError(fault.code, 'fsync', path);
    }
    if (file !== undefined) file.durable = file.bytes.length;
  }

  close(fd: number): void {
    const path = this.#pathOf(fd);
    this.#open.delete(fd);
    this.#meet('close', path);
  }

  mkdir(path: string): void {
    this.#meet('mkdir', path);
  }

  unlink(path: string): void {
    this.#meet('unlink', path);
    this.files.delete(path);
  }

  fchmod(): void {}

  lstat(): { isDirectory: boolean; uid: number; mode: number } {
    return { isDirectory: true, uid: this.spoolUid ?? 0, mode: this.spoolMode };
  }

  readText(path: string): string {
    this.#meet('readText', path);
    if (!this.hasLedger) throw systemError('ENOENT', 'open', path);
    return LEDGER_JSON;
  }

  get openFiles(): number {
    return this.#open.size;
  }

  /** The bytes of the one file whose path matches, empty if there is none. */
  bytesOf(part: string): Buffer {
    const found = [...this.files].filter(([path]) => path.includes(part));
    if (found.length > 1) throw new Error(`several files: ${found.map(([path]) => path).join(', ')}`);
    return found[0]?.[1].bytes ?? Buffer.alloc(0);
  }

  /** What of them a power cut leaves for sure. */
  durableBytesOf(part: string): Buffer {
    const found = [...this.files].find(([path]) => path.includes(part));
    return found?.[1].bytes.subarray(0, found[1].durable) ?? Buffer.alloc(0);
  }

  #look(call: IoCall, path: string): Fault | undefined {
    this.calls.push({ call, path });
    return this.fault(call, path);
  }

  #meet(call: IoCall, path: string): void {
    const fault = this.#look(call, path);
    if (fault !== undefined) throw systemError(fault.code ?? 'EIO', call, path);
  }

  #pathOf(fd: number): string {
    const path = this.#open.get(fd);
    if (path === undefined) throw systemError('EBADF', 'use', String(fd));
    return path;
  }

  #file(path: string): FakeFile {
    const file = this.files.get(path);
    if (file === undefined) throw systemError('ESTALE', 'use', path);
    return file;
  }
}

function systemError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: made to fail, ${call} '${path}'`), { code });
}
