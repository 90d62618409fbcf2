// The system calls behind writing, as an interface, so that tests can make each of them fail.
import * as fs from 'node:fs';
import { errnoOf } from '../errors.ts';

interface FileFacts {
  isDirectory: boolean;
  uid: number;
  mode: number;
}

/** Everything throws as node:fs does: an Error with an errno `code`. */
export interface FileIo {
  open(path: string, flags: number, mode: number): number;
  /** How many of the bytes went in, which may be fewer than given. */
  write(fd: number, bytes: Uint8Array): number;
  /** How many bytes were there, 0 at the end. */
  read(fd: number, into: Uint8Array, position: number): number;
  fsync(fd: number): void;
  fchmod(fd: number, mode: number): void;
  close(fd: number): void;
  /** One directory; EEXIST if it is there. */
  mkdir(path: string, mode: number): void;
  unlink(path: string): void;
  /** Does not follow a symbolic link. */
  lstat(path: string): FileFacts;
  /** The text of a small regular file. */
  readText(path: string): string;
}

export const SMALL_FILE_BYTES = 65_536;
// Windows has neither
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0;
const O_NONBLOCK = fs.constants.O_NONBLOCK ?? 0;

const APPEND = fs.constants.O_WRONLY | fs.constants.O_APPEND | O_NOFOLLOW;

export const OPEN_FLAGS = {
  /** A new file that nobody else can have: EEXIST otherwise. */
  create: APPEND | fs.constants.O_CREAT | fs.constants.O_EXCL,
  append: APPEND,
  /** Readable too: the spool is read back. */
  createSpool:
    fs.constants.O_RDWR | fs.constants.O_APPEND | O_NOFOLLOW | fs.constants.O_CREAT | fs.constants.O_EXCL,
  /** No symbolic link posing as what is looked for, and no FIFO that hangs whoever opens it. */
  read: fs.constants.O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  directory: fs.constants.O_RDONLY | (fs.constants.O_DIRECTORY ?? 0) | O_NOFOLLOW,
} as const;

export const nodeIo: FileIo = {
  open: (path, flags, mode) => fs.openSync(path, flags, mode),
  write: (fd, bytes) => fs.writeSync(fd, bytes),
  read: (fd, into, position) => fs.readSync(fd, into, 0, into.length, position),
  fsync: (fd) => fs.fsyncSync(fd),
  fchmod: (fd, mode) => fs.fchmodSync(fd, mode),
  close: (fd) => fs.closeSync(fd),
  mkdir: (path, mode) => fs.mkdirSync(path, mode),
  unlink: (path) => fs.unlinkSync(path),
  lstat(path) {
    const stats = fs.lstatSync(path);
    return { isDirectory: stats.isDirectory(), uid: stats.uid, mode: stats.mode };
  },
  readText(path) {
    // O_NONBLOCK, because opening a FIFO that bears the name would wait for ever
    const fd = fs.openSync(path, fs.constants.O_RDONLY | O_NONBLOCK);
    try {
      const stats = fs.fstatSync(fd);
      if (!stats.isFile()) throw new Error('it is not a regular file');
      if (stats.size > SMALL_FILE_BYTES) throw new Error(`it has ${stats.size} bytes`);
      return fs.readFileSync(fd, 'utf8');
    } finally {
      fs.closeSync(fd);
    }
  },
};

/** Makes the entries of a directory durable, where the file system knows how. */
export function syncDirectory(io: FileIo, path: string): void {
  try {
    const fd = io.open(path, OPEN_FLAGS.directory, 0);
    try {
      io.fsync(fd);
    } finally {
      io.close(fd);
    }
  } catch {
    // Some file systems cannot fsync a directory; the file itself is fsynced, and says so if it fails.
  }
}

/** One directory, unless it is there: false then. Throws system errors. */
export function ensureDirectory(io: FileIo, directory: string, mode: number): boolean {
  try {
    io.mkdir(directory, mode);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return false;
  }
}
