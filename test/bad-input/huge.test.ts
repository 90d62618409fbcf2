// Lines and files beyond any measure: read in bounded memory, reported, and what follows them is applied.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { A, B, DAY, header, metric, numbered, text, writerFile } from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';
import { projectInChild } from './child.ts';

const PATH = `events/${DAY}/${A}-h-1.ndjson`;
const BEFORE = Buffer.from(`${text(header(A))}\n${text(metric(1, { seq: 2, loss: 1 }))}\n`);
const AFTER = Buffer.from(`${text(metric(2, { seq: 3, loss: 2 }))}\n`);
/** Node with the database and zod loaded takes about 90 MB. */
const MOST_MB = 250;
const MB = 1024 * 1024;

/** Writes the parts one after the other, so that this process stays small too. */
function stream(ledger: TempLedger, parts: Iterable<Buffer>): number {
  ledger.write(PATH, '');
  const fd = fs.openSync(ledger.path(PATH), 'a');
  for (const part of parts) fs.writeSync(fd, part);
  const { size } = fs.fstatSync(fd);
  fs.closeSync(fd);
  return size;
}

function* repeated(part: Buffer, times: number): Generator<Buffer> {
  for (let time = 0; time < times; time += 1) yield part;
}

/** A file as old as that is not waited for. */
function makeOld(ledger: TempLedger): void {
  const hourAgo = Date.now() / 1000 - 3600;
  fs.utimesSync(ledger.path(PATH), hourAgo, hourAgo);
}

const METRICS = [{ writer: A, seq: 2, loss: 1 }, { writer: A, seq: 3, loss: 2 }]; // prettier-ignore

describe('a line of 600 MB', () => {
  const length = 600 * MB;

  test('is one rejected line; the next one is applied; memory is bounded', () => {
    const ledger = new TempLedger();
    const eight = Buffer.alloc(8 * MB, 'x');
    stream(ledger, [BEFORE, ...repeated(eight, length / eight.length), Buffer.from('\n'), AFTER]);
    const report = projectInChild({ ledger: ledger.root });
    expect(report.metrics).toEqual(METRICS);
    expect(report.lastRejected).toEqual({
      file: PATH,
      offset: BEFORE.length,
      length: length + 1,
      code: 'too_long',
    });
    expect(report.rejected).toEqual([{ code: 'too_long', count: 1 }]);
    expect(report.maxRssMb).toBeLessThan(MOST_MB);
  }, 240_000);

  test('without an end it waits, and is not read again from its start; other files are read', () => {
    const ledger = new TempLedger(writerFile(B, metric(1, { loss: 5 })));
    const eight = Buffer.alloc(8 * MB, '{"a":"');
    stream(ledger, [BEFORE, ...repeated(eight, length / eight.length)]);
    const db = `${ledger.root}.db`;
    onTestFinished(() => ['', '-wal', '-shm'].forEach((suffix) => fs.rmSync(db + suffix, { force: true })));
    const first = projectInChild({ ledger: ledger.root, db });
    expect(first.metrics).toEqual([METRICS[0], { writer: B, seq: 2, loss: 5 }]);
    expect(first.rejected).toEqual([]);
    expect(first.files[0]).toMatchObject({ path: PATH, state: 'live', offset: BEFORE.length });
    expect(first.maxRssMb).toBeLessThan(MOST_MB);
    // its end comes, to another process
    ledger.append(PATH, '\n');
    ledger.append(PATH, AFTER);
    const second = projectInChild({ ledger: ledger.root, db });
    expect(second.metrics).toEqual([...METRICS, { writer: B, seq: 2, loss: 5 }]);
    expect(second.lastRejected).toEqual({
      file: PATH,
      offset: BEFORE.length,
      length: length + 1,
      code: 'too_long',
    });
    expect(second.seconds).toBeLessThan(first.seconds);
  }, 240_000);
});

describe('a sparse file', () => {
  test('a hole of 200 MB is looked through in several passes, given up when it is old, and what follows is applied', () => {
    const ledger = new TempLedger();
    stream(ledger, [BEFORE]);
    fs.truncateSync(ledger.path(PATH), BEFORE.length + 200 * MB);
    ledger.append(PATH, '\n');
    ledger.append(PATH, AFTER);
    makeOld(ledger);
    const report = projectInChild({ ledger: ledger.root, passes: 6 });
    expect(report.metrics).toEqual(METRICS);
    expect(report.lastRejected).toEqual({
      file: PATH,
      offset: BEFORE.length,
      length: 200 * MB + 1,
      code: 'nul_hole',
    });
    expect(report.maxRssMb).toBeLessThan(MOST_MB);
  }, 240_000);

  test('one of a terabyte holds nobody up', () => {
    const ledger = new TempLedger(writerFile(B, metric(1, { loss: 5 })));
    stream(ledger, [BEFORE]);
    fs.truncateSync(ledger.path(PATH), 1024 * 1024 * MB);
    makeOld(ledger);
    const report = projectInChild({ ledger: ledger.root, passes: 2 });
    expect(report.metrics).toEqual([METRICS[0], { writer: B, seq: 2, loss: 5 }]);
    expect(report.files[0]).toMatchObject({
      path: PATH,
      state: 'live',
      reason: 'nul_hole',
      offset: BEFORE.length,
    });
    expect(report.maxRssMb).toBeLessThan(MOST_MB);
  }, 240_000);
});

describe('lines without number that are none', () => {
  test.each([
    ['as short as can be', 'x\n', 1_000_000],
    ['like an event', `${text({ ...metric(1), elapsed_seconds: 'x' })}\n`, 200_000],
  ])(
    '%s',
    (_, line, count) => {
      const ledger = new TempLedger();
      const thousand = Buffer.from(line.repeat(1000));
      const size = stream(ledger, [BEFORE, ...repeated(thousand, count / 1000), AFTER]);
      const report = projectInChild({ ledger: ledger.root, db: `${ledger.root}/x.db` });
      expect(report.metrics).toEqual(METRICS);
      expect(report.rejected.map((row) => row.count)).toEqual([count]);
      expect(report.lastRejected).toMatchObject({
        offset: size - AFTER.length - line.length,
        length: line.length,
      });
      expect(report.maxRssMb).toBeLessThan(MOST_MB);
    },
    240_000,
  );

  test('or repeats of one event', () => {
    const ledger = new TempLedger();
    const repeats = Buffer.from(`${text(metric(1, { seq: 2, loss: 1 }))}\n`.repeat(1000));
    stream(ledger, [BEFORE, ...repeated(repeats, 100), AFTER]);
    const report = projectInChild({ ledger: ledger.root });
    expect(report.metrics).toEqual(METRICS);
    expect(report.rejected).toEqual([]);
    expect(report.maxRssMb).toBeLessThan(MOST_MB);
  }, 240_000);
});

test('a thousand attempts and twenty thousand extra metrics of one run are no more than their lines', () => {
  const ledger = new TempLedger();
  const points = Array.from({ length: 20_000 }, (_, index) =>
    metric(1, { attempt: `a${index % 1000}`, extra: { [`m${index}`]: 1 } }),
  );
  stream(ledger, [BEFORE, ...numbered(points, 3).map((line) => Buffer.from(`${JSON.stringify(line)}\n`))]);
  const report = projectInChild({ ledger: ledger.root });
  expect(report.metrics).toHaveLength(20_001);
  expect(report.maxRssMb).toBeLessThan(MOST_MB);
}, 240_000);
