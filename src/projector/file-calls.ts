// The calls to the log's storage of which a pass makes thousands.
import * as fs from 'node:fs';
import { promisify } from 'node:util';

type Answer<T> = T | Promise<T>;

/** Each throws a system error, or rejects with it. Plain descriptors: a FileHandle costs more than the system calls. */
export interface FileCalls {
  open(path: string, flags: number): Answer<number>;
  stat(descriptor: number): Answer<fs.Stats>;
  /** How many bytes there were: 0 at the end. */
  read(descriptor: number, into: Buffer, at: number, length: number, position: number): Answer<number>;
  close(descriptor: number): Answer<void>;
}

const open = promisify(fs.open);
const stat = promisify(fs.fstat) as (descriptor: number) => Promise<fs.Stats>;
const close = promisify(fs.close);
const read = promisify(fs.read) as (
  descriptor: number,
  into: Buffer,
  at: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>;

/** On other threads, so that a storage that hangs holds none of those that answer queries and signals. */
export const threadedCalls: FileCalls = {
  open: (path, flags) => open(path, flags),
  stat: (descriptor) => stat(descriptor),
  read: async (descriptor, into, at, length, position) =>
    (await read(descriptor, into, at, length, position)).bytesRead,
  close: (descriptor) => close(descriptor),
};

/** Bytes: more take longer to come from a disk, and to copy, than to have another thread do that. */
const LITTLE = 65_536;

/** At once, for a disk of this machine: to hand a call to another thread costs five times what the call does. */
export const directCalls: FileCalls = {
  open: (path, flags) => fs.openSync(path, flags),
  stat: (descriptor) => fs.fstatSync(descriptor),
  read: (descriptor, into, at, length, position) =>
    length > LITTLE
      ? threadedCalls.read(descriptor, into, at, length, position)
      : fs.readSync(descriptor, into, at, length, position),
  close: (descriptor) => fs.closeSync(descriptor),
};
