// Files that break the promise only to grow: frozen or missing, reported, their rows kept; right again when the
// bytes are back.
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { IN_MEMORY, openForWriting } from '../../src/db/open.ts';
import { replay } from '../../src/projector/replay.ts';
import { snapshotOf } from '../helpers/given.ts';
import {
  A,
  B,
  at,
  closed,
  created,
  file,
  header,
  metric,
  numbered,
  text,
  writerFile,
  writerFileWith,
} from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';

const FILE = writerFile(
  A,
  created(0),
  metric(1, { loss: 1 }),
  metric(2, { loss: 2 }),
  metric(3, { loss: 3 }),
);
const ROWS = [{ loss: 1 }, { loss: 2 }, { loss: 3 }];
const NEXT = `${text(metric(4, { loss: 4, seq: 6 }))}\n`;
const { path: PATH, bytes: BYTES } = FILE;

/** Where the last line begins. */
const LAST = BYTES.lastIndexOf(10, BYTES.length - 2) + 1;

async function followed(): Promise<TempLedger> {
  const ledger = new TempLedger(FILE);
  (await ledger.pass()).expectRows('run_metrics', ROWS);
  return ledger;
}

type Damage = [what: string, reason: string, (ledger: TempLedger) => void];

const DAMAGES: Damage[] = [
  ['truncated in its last line', 'truncated', (ledger) => fs.truncateSync(ledger.path(PATH), BYTES.length - 5)],
  ['truncated to nothing', 'truncated', (ledger) => fs.truncateSync(ledger.path(PATH), 0)],
  ['replaced by its first half, as a copy that was cut off', 'truncated', (ledger) => replace(ledger, BYTES.subarray(0, LAST))],
  ['rewritten with as many bytes', 'rewritten', (ledger) => replace(ledger, Buffer.from(BYTES.toString().replace('"loss":3', '"loss":9')))],
  ['written over in place', 'rewritten', (ledger) => ledger.overwrite(PATH, BYTES.length - 10, 'x')],
  ['emptied and filled by others', 'rewritten', (ledger) => replace(ledger, Buffer.alloc(BYTES.length + 50, '{}\n'))],
  ['saved by an editor that wrote CR LF', 'rewritten', (ledger) => replace(ledger, Buffer.from(BYTES.toString().replaceAll('\n', '\r\n')))],
  ['sorted', 'rewritten', (ledger) => replace(ledger, Buffer.from(`${BYTES.toString().split('\n').toReversed().join('\n')}\n`))],
]; // prettier-ignore

/** As rsync and editors do: a new file, renamed over the old one. */
function replace(ledger: TempLedger, bytes: Buffer): void {
  fs.writeFileSync(ledger.path('draft'), bytes);
  fs.renameSync(ledger.path('draft'), ledger.path(PATH));
}

describe.each(DAMAGES)('%s', (_, reason, damage) => {
  test('is frozen and reported, its rows stay, and nothing more of it is read', async () => {
    const ledger = await followed();
    damage(ledger);
    for (let pass = 0; pass < 3; pass += 1) {
      const outcome = await ledger.pass(pass === 1 ? {} : { thorough: true });
      outcome.expectRows('run_metrics', ROWS).expectResults({ points: 3, final_loss: 3 }).expectRejected();
      outcome.expectFile(PATH, { state: 'frozen', reason, offset: BYTES.length });
      outcome.expectFinding({ kind: 'frozen', where: PATH, severity: 'problem' });
      ledger.append(PATH, NEXT.repeat(5));
      if (pass === 1) ledger.restart();
    }
  });

  test('goes on when its bytes are as they were', async () => {
    const ledger = await followed();
    damage(ledger);
    (await ledger.pass()).expectFile(PATH, { state: 'frozen' });
    replace(ledger, Buffer.concat([BYTES, Buffer.from(NEXT)]));
    (await ledger.pass())
      .expectRows('run_metrics', [...ROWS, { loss: 4 }])
      .expectFile(PATH, { state: 'live', reason: null });
    expect(snapshotOf(ledger.db)).toEqual(snapshotOf((await ledger.rebuilt()).db));
  });

  test('stops no other file', async () => {
    const ledger = await followed();
    damage(ledger);
    ledger.add(writerFile(B, metric(9, { loss: 9 })));
    (await ledger.pass()).expectRows('run_metrics', [...ROWS, { loss: 9 }]);
  });

  test('a rebuild would lose its rows, and says so', async () => {
    const ledger = await followed();
    damage(ledger);
    await ledger.pass();
    const into = openForWriting(IN_MEMORY);
    const { losses } = await replay(ledger.db, into, {
      ledger: ledger.info,
      storage: ledger.storage,
      clock: ledger.clock,
    });
    into.close();
    expect(losses).toMatchObject([{ path: PATH, writer: A, events: 4 }]);
  });
});

describe('other bytes before the offset than were read', () => {
  const earlier = (ledger: TempLedger): void => ledger.overwrite(PATH, BYTES.indexOf('"loss":1') + 7, '8');

  test('far before it: the rows stay, and what compares all bytes says so', async () => {
    const ledger = await followed();
    earlier(ledger);
    ledger.append(PATH, NEXT);
    (await ledger.pass()).expectRows('run_metrics', [...ROWS, { loss: 4 }]);
    const into = openForWriting(IN_MEMORY);
    const { losses } = await replay(ledger.db, into, {
      ledger: ledger.info,
      storage: ledger.storage,
      clock: ledger.clock,
    });
    into.close();
    expect(losses).toMatchObject([{ path: PATH, reason: 'rewritten' }]);
  });

  // a look compares the last 64 bytes before the offset; all of them are compared only by verify and by a thaw
  test.fails('far before it: frozen and reported', async () => {
    const ledger = await followed();
    earlier(ledger);
    (await ledger.pass()).expectFile(PATH, { state: 'frozen', reason: 'rewritten' });
  });
});

describe('gone', () => {
  test('is reported, its rows stay; back again, it goes on', async () => {
    const ledger = await followed();
    fs.renameSync(ledger.path(PATH), ledger.path('away'));
    const outcome = await ledger.pass();
    outcome.expectRows('run_metrics', ROWS).expectFile(PATH, { state: 'missing', reason: 'gone' });
    outcome.expectFinding({ kind: 'missing', where: PATH, severity: 'problem' });
    ledger.restart();
    (await ledger.pass()).expectRows('run_metrics', ROWS).expectFile(PATH, { state: 'missing' });
    ledger.append('away', NEXT);
    fs.renameSync(ledger.path('away'), ledger.path(PATH));
    (await ledger.pass())
      .expectRows('run_metrics', [...ROWS, { loss: 4 }])
      .expectFile(PATH, { state: 'live', reason: null });
  });

  test('with its folder: the same', async () => {
    const ledger = await followed();
    fs.renameSync(ledger.path('events'), ledger.path('away'));
    fs.mkdirSync(ledger.path('events'));
    (await ledger.pass()).expectRows('run_metrics', ROWS).expectFile(PATH, { state: 'missing' });
    fs.rmdirSync(ledger.path('events'));
    fs.renameSync(ledger.path('away'), ledger.path('events'));
    (await ledger.pass()).expectRows('run_metrics', ROWS).expectFile(PATH, { state: 'live' });
  });

  test('before anything of it was read: there is nothing to report', async () => {
    const ledger = new TempLedger({ path: PATH, bytes: Buffer.from('{"type":"wri') });
    await ledger.pass();
    ledger.remove(PATH);
    const outcome = await ledger.pass();
    expect(outcome.findings()).toEqual([]);
    expect([...ledger.projector.activeFiles]).toEqual([]);
  });

  test('back as something else: frozen', async () => {
    const ledger = await followed();
    ledger.remove(PATH);
    await ledger.pass();
    ledger.add(
      file(PATH, header(A, { host: 'other' }), ...numbered([1, 2, 3, 4, 5].map((minute) => metric(minute)))),
    );
    (await ledger.pass())
      .expectRows('run_metrics', ROWS)
      .expectFile(PATH, { state: 'frozen', reason: 'rewritten' });
  });

  test('of a complete file too: reported at the next thorough look, complete again when it is back', async () => {
    const done = writerFile(A, metric(1), closed(2, 2));
    const ledger = new TempLedger(done);
    (await ledger.pass()).expectFile(PATH, { state: 'complete' });
    ledger.remove(PATH);
    (await ledger.pass()).expectFile(PATH, { state: 'missing' }).expectRows('run_metrics', [{ ts: at(1) }]);
    ledger.add(done);
    (await ledger.pass()).expectFile(PATH, { state: 'complete' }).expectRows('run_metrics', [{ ts: at(1) }]);
  });
});

test('a part without LF that is taken back was never read: what comes in its place counts', async () => {
  const ledger = new TempLedger({
    path: PATH,
    bytes: Buffer.concat([BYTES, Buffer.from('{"type":"metric","lo')]),
  });
  await ledger.pass();
  fs.truncateSync(ledger.path(PATH), BYTES.length);
  (await ledger.pass()).expectFile(PATH, { state: 'live' });
  ledger.append(PATH, NEXT);
  (await ledger.pass()).expectRows('run_metrics', [...ROWS, { loss: 4 }]).expectRejected();
});

test.each([
  ['text', 'x'],
  ['NULs', '\u0000'],
])('the same for a part longer than any line, of %s', async (_, filler) => {
  const part = Buffer.alloc(3 * 1_048_576, filler);
  const ledger = new TempLedger({ path: PATH, bytes: Buffer.concat([BYTES, part]) });
  (await ledger.pass()).expectFile(PATH, { state: 'live', offset: BYTES.length });
  fs.truncateSync(ledger.path(PATH), BYTES.length + 100);
  (await ledger.pass()).expectFile(PATH, { state: 'live', offset: BYTES.length });
  // another one in its place, which no longer has NULs in it
  fs.truncateSync(ledger.path(PATH), BYTES.length);
  ledger.append(PATH, `${'y'.repeat(2 * 1_048_576)}\n${NEXT}`);
  (await ledger.pass())
    .expectRows('run_metrics', [...ROWS, { loss: 4 }])
    .expectRows('_rejected', [{ offset: BYTES.length, length: 2 * 1_048_576 + 1, code: 'too_long' }]);
});

describe('another file that names the same writer', () => {
  /** The smaller path, and so the writer if both are as they should be. */
  const rival = writerFileWith(A, { origin: 'a' }, created(0), metric(1, { loss: 9 }));
  const RIVAL_ROWS = [{ loss: 9 }];

  test.each([
    ['is gone', (ledger: TempLedger) => fs.renameSync(ledger.path(PATH), ledger.path('away'))],
    ['was truncated', (ledger: TempLedger) => fs.truncateSync(ledger.path(PATH), 10)],
  ])('while the first one %s: its rows are not given up for the other’s', async (_, harm) => {
    const ledger = await followed();
    harm(ledger);
    (await ledger.pass()).expectRows('run_metrics', ROWS);
    ledger.add(rival);
    for (let pass = 0; pass < 2; pass += 1) {
      (await ledger.pass()).expectRows('run_metrics', ROWS).expectFile(rival.path, { state: 'misplaced' });
      ledger.restart();
    }
    // the first one is back: now the smaller path is the writer, and the other misplaced
    fs.rmSync(ledger.path('away'), { force: true });
    ledger.add(FILE);
    (await ledger.pass()).expectRows('run_metrics', RIVAL_ROWS).expectFile(PATH, { state: 'misplaced' });
    expect(snapshotOf(ledger.db)).toEqual(snapshotOf((await ledger.rebuilt()).db));
  });

  test('the larger path is misplaced from the first, and takes over when the smaller one yields', async () => {
    const ledger = await followed();
    ledger.add(rival);
    (await ledger.pass()).expectRows('run_metrics', RIVAL_ROWS).expectFile(PATH, { state: 'misplaced' });
    // gone, it still has its rows
    fs.renameSync(ledger.path(rival.path), ledger.path('away'));
    (await ledger.pass()).expectRows('run_metrics', RIVAL_ROWS).expectFile(rival.path, { state: 'missing' });
  });
});
