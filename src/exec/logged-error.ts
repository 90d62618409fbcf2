// Whether a logger inside of the command has recorded an error already, so that it is not counted twice.
import * as fs from 'node:fs';
import path from 'node:path';
import { decodeTime } from 'ulid';
import { EVENT_FILE_SUFFIX, EVENTS_DIR, isNamedLikeUlid } from '../events/layout.ts';

export interface LoggedErrorQuestion {
  ledger: string;
  /** Of this process's own file: of the same job, or of the same host. */
  origin: string;
  /** The id of this process's own writer. */
  ownWriter: string;
  runId: string;
  attempt: string;
  /** Milliseconds since 1970. */
  since: number;
  until: number;
}

const DAY_MS = 86_400_000;
const ULID_LENGTH = 26;
/** A clock of another node may be behind. */
const SLACK_MS = 60_000;
const MAX_FILES = 64;
const MAX_BYTES = 262_144;

/** Looks at the ends of a bounded number of files; false where they cannot be read. Never throws. */
export function isErrorLogged(question: LoggedErrorQuestion): boolean {
  return candidates(question)
    .slice(-MAX_FILES)
    .some((file) => hasError(file, question));
}

function candidates({ ledger, origin, ownWriter, since, until }: LoggedErrorQuestion): string[] {
  // slurm4711 is one for all processes of a job, host-123 is not
  const place = /^slurm\d/.test(origin) ? `${origin}${EVENT_FILE_SUFFIX}` : origin.replace(/\d+$/, '');
  const files: string[] = [];
  for (let day = since - SLACK_MS; day < until + DAY_MS; day += DAY_MS) {
    const folder = path.join(ledger, EVENTS_DIR, new Date(day).toISOString().slice(0, 10));
    for (const name of namesIn(folder)) {
      if (!isNamedLikeUlid(name) || name.startsWith(ownWriter)) continue;
      const isOfHere = name.startsWith(place, ULID_LENGTH + 1);
      if (isOfHere && decodeTime(name.slice(0, ULID_LENGTH)) >= since - SLACK_MS)
        files.push(path.join(folder, name));
    }
  }
  return files.toSorted();
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    // nothing was written that day, or there is no log
    return [];
  }
}

function hasError(file: string, { runId, attempt }: LoggedErrorQuestion): boolean {
  const [header = '', ...lines] = linesOf(file);
  const opened = parse(header);
  const own = opened?.['attempt'] ?? opened?.['writer'];
  return lines.some((line) => {
    if (!line.includes('"error"')) return false;
    const event = parse(line);
    return event?.['type'] === 'error' && event['run_id'] === runId && (event['attempt'] ?? own) === attempt;
  });
}

/** The first line, and the last ones. */
function linesOf(file: string): string[] {
  try {
    const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW);
    try {
      const { size } = fs.fstatSync(fd);
      const head = read(fd, 0, Math.min(size, MAX_BYTES)).split('\n');
      if (size <= MAX_BYTES) return head;
      return [
        head[0] ?? '',
        ...read(fd, size - MAX_BYTES, MAX_BYTES)
          .split('\n')
          .slice(1),
      ];
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // not ours to read: then the error is told rather than missed
    return [];
  }
}

function read(fd: number, position: number, length: number): string {
  const buffer = Buffer.alloc(length);
  return buffer.toString('utf8', 0, fs.readSync(fd, buffer, 0, length, position));
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // a torn line
    return undefined;
  }
}
