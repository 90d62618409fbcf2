// As of when an answer is: always said, and never waited for longer than the bound.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { freshen } from '../../src/cli/freshness.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { openReadOnly } from '../../src/db/open.ts';
import { locate, OpenProjector } from '../../src/projector/open.ts';
import { created, header, A, metric, text, writerFile } from '../helpers/lines.ts';
import { Desk, Page } from './command.ts';

const LINES = 40_000;

function append(desk: Desk, lines: readonly object[]): void {
  const file = path.join(desk.ledger, writerFile(A).path);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.appendFileSync(file, lines.map((line) => `${text({ ...line })}\n`).join(''));
}

function ioOf(desk: Desk): CliIo & { stderr: Page } {
  return {
    stdin: process.stdin,
    stdout: new Page(),
    stderr: new Page(),
    env: { RUNFOLD_DB: desk.db },
    cwd: desk.cwd,
    clock: systemClock,
    signal: new AbortController().signal,
    abandon: () => undefined,
  };
}

test('a pass that takes longer than the bound is ended, and goes on the next time', async () => {
  const desk = await Desk.withLog();
  append(desk, [
    { ...header(A), seq: 1 },
    { ...created(0), seq: 2 },
  ]);
  await desk.run(['sync']);
  append(
    desk,
    Array.from({ length: LINES }, (_, index) => ({ ...metric(0, { step: index, loss: 1 }), seq: index + 3 })),
  );
  const io = ioOf(desk);
  const place = await locate({ env: io.env, cwd: desk.cwd }, io.clock);
  const cut = await freshen(place, io, { boundMs: 1 });
  expect(io.stderr.text).toBe('not synced to the end within 0.001 s; run: runfold sync\n');
  expect(cut?.lines).toBeLessThan(LINES);
  await desk.run(['sync']);
  const db = openReadOnly(desk.db);
  expect(db.prepare('SELECT count(*) FROM run_metrics').pluck().get()).toBe(LINES);
  db.close();
});

test('beside who keeps the database: as of its last look; one that has not looked for long is doubted', async () => {
  const desk = await Desk.withLog();
  await desk.run(['sync']);
  const io = ioOf(desk);
  using keeper = OpenProjector.open(
    await locate({ env: io.env, cwd: desk.cwd }, io.clock),
    'watch',
    systemClock,
  );
  await keeper.projector.pass();
  const fresh = await desk.run(['runs']);
  expect(fresh.stderr).toMatch(/^as of 2\S+Z \([\d.]+ s ago\), kept by watch, pid \d+ on \S+\n/);
  expect(fresh.stderr).toContain(`pid ${process.pid}`);
  const late = await desk.run(['runs'], { clock: { now: () => Date.now() + 60_000 } });
  expect(late.stderr).toMatch(
    /^as of 2\S+Z \(\d\d s ago\), kept by watch, pid \d+ on \S+, which has not looked/,
  );
});

test('--no-sync says when the log was looked at last', async () => {
  const desk = await Desk.withLog();
  await desk.run(['sync']);
  const { stderr } = await desk.run(['runs', '--no-sync']);
  expect(stderr).toMatch(/^as of 2\S+Z \([\d.]+ s ago\), not synced since\n/);
});
