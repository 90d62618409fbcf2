// What a writer has left in a log, and the part of it that is the same everywhere; conformance/README.md says which.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { eventFilePath } from '../../src/events/layout.ts';
import { parseLine } from '../../src/events/parse.ts';
import { eventFiles } from '../events/read-lines.ts';
import type { Json } from './cases.ts';

const VOLATILE = [
  'ts',
  'writer',
  'origin',
  'host',
  'pid',
  'user',
  'client',
  'elapsed_seconds',
  'code',
  'attempt',
];

export interface Written {
  lines: Json[];
  /** What every line about a run comes to; undefined where there is none. */
  attempt: string | undefined;
  /** Whether that is the writer's own id. */
  isOwnAttempt: boolean;
}

/** The one file of a ledger, checked as a file; no lines if there is none. */
export function readWritten(ledger: string): Written {
  const files = eventFiles(ledger);
  expect(files.length).toBeLessThanOrEqual(1);
  const [file] = files;
  if (file === undefined) return { lines: [], attempt: undefined, isOwnAttempt: true };
  return readFile(ledger, file);
}

export function readFile(ledger: string, file: string): Written {
  const bytes = fs.readFileSync(file);
  expect(bytes.at(-1)).toBe(0x0a);
  const raw = bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  const lines = raw.map((line, index) => {
    expect(parseLine(Buffer.from(line))).toMatchObject({ kind: 'event', event: { seq: index + 1 } });
    return JSON.parse(line) as Record<string, unknown>;
  });
  const [header] = lines;
  const { writer, origin } = header as { writer: string; origin: string };
  expect(path.relative(ledger, file)).toBe(eventFilePath(writer, origin));

  const ofRuns = lines.filter((line) => line['run_id'] !== undefined);
  const attempts = new Set(ofRuns.map((line) => line['attempt'] ?? header?.['attempt'] ?? writer));
  expect(attempts.size).toBeLessThanOrEqual(1);
  const [attempt] = [...attempts] as string[];
  return { lines: lines.map(normalised), attempt, isOwnAttempt: attempt === undefined || attempt === writer };
}

function normalised(line: Json): Json {
  return Object.fromEntries(
    Object.entries(line).filter(
      ([name, value]) =>
        !VOLATILE.includes(name) && value !== null && !(name === 'resume' && value === false),
    ),
  );
}

/** JSON text with names in order: equal for equal values, whatever their names, `__proto__` too. */
export function ordered(value: unknown): string {
  return JSON.stringify(inOrder(value), null, 1);
}

function inOrder(value: unknown): unknown {
  if (typeof value === 'number') return Object.is(value, -0) ? 0 : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  // a Map's worth of pairs, since an object would put names like integers first and lose __proto__
  return Object.keys(value)
    .toSorted()
    .map((name) => [name, inOrder((value as Json)[name])]);
}
