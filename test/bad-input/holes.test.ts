// NUL bytes where text belongs: pages that a network file system has not brought yet, or never will.
import * as fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOLE_PATIENCE_MS } from '../../src/projector/pace.ts';
import { snapshotOf } from '../helpers/given.ts';
import { A, B, at, created, errorEvent, metric, text, writerFile, type Fields } from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';

const PAGE = 4096;
/** 40 lines of about 700 bytes: holes of a page swallow several, and cut two. */
const LINES: Fields[] = [
  created(0),
  ...Array.from({ length: 39 }, (_, index) => errorEvent(0, { message: `${index}`.padEnd(300, 'é') })),
];
const WHOLE = writerFile(A, ...LINES);
const NOW_MS = Date.parse(at(0)) + 3_600_000;

/** A ledger whose one file was last written just now, by the clock of the test. */
function ledgerWith(bytes: Buffer): TempLedger {
  const ledger = new TempLedger({ path: WHOLE.path, bytes });
  ledger.nowMs = NOW_MS;
  touch(ledger);
  return ledger;
}

function touch(ledger: TempLedger, path = WHOLE.path): void {
  fs.utimesSync(ledger.path(path), NOW_MS / 1000, NOW_MS / 1000);
}

type Hole = { from: number; to: number };

function withHoles(holes: readonly Hole[]): Buffer {
  const bytes = Buffer.from(WHOLE.bytes);
  for (const { from, to } of holes) bytes.fill(0, from, Math.min(to, bytes.length));
  return bytes;
}

/** What a reader can make of bytes whose holes are given up: lines with a NUL are out, and nothing else. */
function linesOf(bytes: Buffer): { offset: number; length: number; isHole: boolean }[] {
  const lines = [];
  for (let offset = 0, lf = bytes.indexOf(10); lf !== -1; lf = bytes.indexOf(10, offset)) {
    const length = lf + 1 - offset;
    lines.push({ offset, length, isHole: bytes.subarray(offset, lf).includes(0) });
    offset += length;
  }
  return lines;
}

const page = fc.nat({ max: Math.floor(WHOLE.bytes.length / PAGE) });
const hole: fc.Arbitrary<Hole> = fc.oneof(
  fc.tuple(page, fc.integer({ min: 1, max: 2 })).map(([first, pages]) => ({ from: first * PAGE, to: (first + pages) * PAGE })),
  // from a page border to somewhere, from somewhere to one, and anywhere
  fc.tuple(page, fc.integer({ min: 1, max: 600 })).map(([first, length]) => ({ from: first * PAGE, to: first * PAGE + length })),
  fc.tuple(page, fc.integer({ min: 1, max: 600 })).map(([first, length]) => ({ from: Math.max(0, first * PAGE - length), to: first * PAGE })),
  fc.tuple(fc.nat({ max: WHOLE.bytes.length }), fc.integer({ min: 1, max: 9 })).map(([from, length]) => ({ from, to: from + length })),
); // prettier-ignore

test('holes at page borders that fill late, in any order: nothing is applied twice, nothing rejected, nothing lost', async () => {
  const clean = await ledgerWith(WHOLE.bytes).pass();
  await fc.assert(
    fc.asyncProperty(
      fc.array(hole, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (holes, restarts) => {
        const ledger = ledgerWith(withHoles(holes));
        for (let filled = 0; filled <= holes.length; filled += 1) {
          const bytes = withHoles(holes.slice(filled));
          ledger.overwrite(WHOLE.path, 0, bytes);
          touch(ledger);
          const outcome = await ledger.pass();
          // up to the first hole, and no further
          const first = linesOf(bytes).findIndex((line) => line.isHole);
          const readable = first === -1 ? linesOf(bytes) : linesOf(bytes).slice(0, first);
          expect(outcome.rows('_rejected')).toEqual([]);
          expect(outcome.rows('run_errors')).toHaveLength(Math.max(0, readable.length - 2));
          if (restarts) ledger.restart();
        }
        expect(snapshotOf(ledger.db)).toEqual(snapshotOf(clean.db));
      },
    ),
    { numRuns: 60 },
  );
});

test('holes that never fill are given up after 15 minutes, one rejection a line; filled after all, they are as if never there', async () => {
  const clean = await ledgerWith(WHOLE.bytes).pass();
  await fc.assert(
    fc.asyncProperty(fc.array(hole, { minLength: 1, maxLength: 3 }), async (holes) => {
      const bytes = withHoles(holes);
      const ledger = ledgerWith(bytes);
      await ledger.pass();
      ledger.aheadMs = HOLE_PATIENCE_MS;
      const outcome = await ledger.pass();
      const lines = linesOf(bytes);
      // without its header, no line of a file named like a ULID is applied
      const isHeaderLost = lines[0]?.isHole === true;
      const lost = lines.filter(({ isHole }) => isHole || isHeaderLost);
      outcome.expectRows('_rejected', lost.map(({ isHole, ...line }) => ({ ...line, code: isHole ? 'nul_hole' : 'no_header' })));
      // read whole by another projector: the same
      expect(snapshotOf((await ledger.rebuilt()).db)).toEqual(snapshotOf(ledger.db));
      ledger.overwrite(WHOLE.path, 0, WHOLE.bytes);
      expect(snapshotOf((await ledger.pass()).db)).toEqual(snapshotOf(clean.db));
    }),
    { numRuns: 60 },
  ); // prettier-ignore
});

describe('when a hole is given up', () => {
  const [first, second, third] = [metric(0, { loss: 1 }), metric(1, { loss: 2 }), metric(2, { loss: 3 })];
  const holed = (...rest: Fields[]): { bytes: Buffer; at: number } => {
    const { bytes } = writerFile(A, first, second, ...rest);
    const start = bytes.indexOf('"loss":2');
    return { bytes: Buffer.from(bytes).fill(0, start, start + 8), at: start };
  };

  test('when the file’s mtime is 15 minutes old, and not a millisecond before', async () => {
    const ledger = ledgerWith(holed(third).bytes);
    ledger.aheadMs = HOLE_PATIENCE_MS - 1;
    (await ledger.pass())
      .expectRows('run_metrics', [{ loss: 1 }])
      .expectFile(WHOLE.path, { state: 'live', reason: 'nul_hole' });
    ledger.aheadMs = HOLE_PATIENCE_MS;
    (await ledger.pass()).expectRows('run_metrics', [{ loss: 1 }, { loss: 3 }]).expectRejected('nul_hole');
  });

  test('never by the reader’s own waiting: as long as the file is written to, it waits', async () => {
    const ledger = ledgerWith(holed().bytes);
    for (let minutes = 0; minutes <= 60; minutes += 10) {
      ledger.aheadMs = minutes * 60_000;
      const mtime = (NOW_MS + ledger.aheadMs) / 1000;
      fs.utimesSync(ledger.path(WHOLE.path), mtime, mtime);
      (await ledger.pass()).expectRows('run_metrics', [{ loss: 1 }]).expectRejected();
    }
  });

  test('when a later valid line is 15 minutes after the last good one, and not before', async () => {
    const early = { ...third, ts: '2026-11-23T10:14:59.999Z' };
    const late = { ...third, ts: '2026-11-23T10:15:00.000Z', seq: 5 };
    const ledger = ledgerWith(holed(early).bytes);
    (await ledger.pass()).expectRows('run_metrics', [{ loss: 1 }]).expectRejected();
    // lines that are none, of unknown type or torn do not say what time it is
    ledger.append(
      WHOLE.path,
      `no json\n{"type":"later","ts":"2027-01-01T00:00:00Z"}\n${text(late).slice(0, -1)}`,
    );
    touch(ledger);
    (await ledger.pass()).expectRows('run_metrics', [{ loss: 1 }]).expectRejected();
    ledger.append(WHOLE.path, '}\n');
    touch(ledger);
    (await ledger.pass())
      .expectRows('run_metrics', [{ loss: 1 }, { loss: 3 }, { loss: 3 }])
      .expectRejected('nul_hole', 'not_json');
  });

  test('a part without LF waits whatever it holds', async () => {
    const { bytes } = holed();
    const ledger = ledgerWith(Buffer.concat([bytes, Buffer.alloc(100)]));
    ledger.aheadMs = HOLE_PATIENCE_MS;
    (await ledger.pass())
      .expectRejected('nul_hole')
      .expectFile(WHOLE.path, { state: 'live', offset: bytes.length });
  });

  test('a file that waits stops no other, and is reported as waiting', async () => {
    const ledger = ledgerWith(holed(third).bytes);
    ledger.add(writerFile(B, metric(5, { loss: 5 })));
    (await ledger.pass())
      .expectRows('run_metrics', [{ loss: 1 }, { loss: 5 }])
      .expectFinding({ kind: 'waiting', severity: 'note', where: WHOLE.path });
  });

  test('it is looked at again after a restart, in whatever state the file is', async () => {
    const closing = { type: 'writer_closed', ts: at(3), events: 4 };
    const { bytes, at: start } = holed(third, closing);
    const ledger = ledgerWith(bytes);
    ledger.aheadMs = HOLE_PATIENCE_MS;
    (await ledger.pass()).expectRejected('nul_hole').expectFile(WHOLE.path, { state: 'live', closedSeq: 5 });
    ledger.restart();
    ledger.overwrite(WHOLE.path, start, '"loss":2');
    (await ledger.pass())
      .expectRejected()
      .expectRows('run_metrics', [{ loss: 1 }, { loss: 2 }, { loss: 3 }])
      .expectFile(WHOLE.path, { state: 'complete' });
  });

  test('it is still a hole when only some of it has filled', async () => {
    const { bytes, at: start } = holed(third);
    const ledger = ledgerWith(bytes);
    ledger.aheadMs = HOLE_PATIENCE_MS;
    await ledger.pass();
    ledger.overwrite(WHOLE.path, start, '"los');
    (await ledger.pass()).expectRejected('nul_hole').expectRows('run_metrics', [{ loss: 1 }, { loss: 3 }]);
  });
});

describe('a hole in a line longer than any may be', () => {
  const first = writerFile(A, metric(0, { loss: 1 })).bytes;
  const last = Buffer.from(`${text(metric(1, { loss: 2, seq: 3 }))}\n`);
  const LENGTH = 3 * 1_048_576;

  /** A line of x, with NULs from here to there. */
  function longLine(from: number, to: number): Buffer {
    return Buffer.concat([Buffer.alloc(LENGTH, 'x').fill(0, from, to), Buffer.from('\n')]);
  }

  test.each([
    ['at its beginning', 0, 1],
    ['in its middle', LENGTH / 2, LENGTH / 2 + 1],
    ['at its end', LENGTH - 1, LENGTH],
    ['all of it', 0, LENGTH],
  ])('%s: it waits, and all after it; then it is given up; filled, it is too long', async (_, from, to) => {
    const ledger = ledgerWith(Buffer.concat([first, longLine(from, to), last]));
    for (let pass = 0; pass < 3; pass += 1) {
      (await ledger.pass()).expectRejected().expectRows('run_metrics', [{ loss: 1 }]);
      ledger.outcome().expectFile(WHOLE.path, { state: 'live', reason: 'nul_hole', offset: first.length });
      if (pass === 1) ledger.restart();
    }
    ledger.aheadMs = HOLE_PATIENCE_MS;
    const range = { offset: first.length, length: LENGTH + 1 };
    (await ledger.pass())
      .expectRows('_rejected', [{ ...range, code: 'nul_hole' }])
      .expectRows('run_metrics', [{ loss: 1 }, { loss: 2 }]);
    ledger.overwrite(WHOLE.path, first.length + from, 'x'.repeat(to - from));
    (await ledger.pass())
      .expectRows('_rejected', [{ ...range, code: 'too_long' }])
      .expectRows('run_metrics', [{ loss: 1 }, { loss: 2 }]);
    expect(snapshotOf((await ledger.rebuilt()).db)).toEqual(snapshotOf(ledger.db));
  });

  test('that fills with several lines is read as these', async () => {
    const ledger = ledgerWith(Buffer.concat([first, longLine(0, LENGTH), last]));
    ledger.aheadMs = HOLE_PATIENCE_MS;
    (await ledger.pass()).expectRejected('nul_hole');
    const lines = [4, 5].map((seq) => `${text(metric(0, { loss: seq, seq }))}\n`).join('');
    ledger.overwrite(WHOLE.path, first.length, lines.padEnd(LENGTH, 'y'));
    (await ledger.pass())
      .expectRows('_rejected', [{ offset: first.length + lines.length, code: 'too_long' }])
      .expectRows('run_metrics', [{ loss: 1 }, { loss: 2 }, { loss: 4 }, { loss: 5 }]);
  });
});

test('NULs where text was read before are waited for too, and nothing is read beyond them', async () => {
  const ledger = ledgerWith(writerFile(A, metric(0), metric(1)).bytes);
  await ledger.pass();
  const size = ledger.read(WHOLE.path).length;
  const tail = ledger.read(WHOLE.path).subarray(size - 30);
  ledger.overwrite(WHOLE.path, size - 30, Buffer.alloc(30));
  ledger.append(WHOLE.path, `${text(metric(2, { seq: 4 }))}\n`);
  for (let pass = 0; pass < 3; pass += 1) {
    (await ledger.pass())
      .expectRows('run_metrics', [{ seq: 2 }, { seq: 3 }])
      .expectFile(WHOLE.path, { state: 'live', reason: 'nul_before_offset' });
  }
  ledger.overwrite(WHOLE.path, size - 30, tail);
  (await ledger.pass())
    .expectRows('run_metrics', [{ seq: 2 }, { seq: 3 }, { seq: 4 }])
    .expectFile(WHOLE.path, { state: 'live', reason: null });
});
