// `runfold emit` and `runfold init` on a storage that hangs: it is said, and Ctrl-C ends the wait.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Event } from '../../src/events/event.ts';
import { createLedger } from '../../src/events/ledger.ts';
import { PACE } from '../../src/projector/pace.ts';
import { eventFiles, readLines } from '../events/read-lines.ts';
import { tempDir } from '../events/temp-dir.ts';
import { startCli, type Started } from './cli-process.ts';
import { HangingMount } from './hang-hook.ts';
import { until } from './until.ts';

const RUN = '0123456789abcdef';
const SLOW_MS = PACE.abandonAfter + 1000;
const METRIC = ['emit', 'metric', '--run', RUN, '--loss', '0.5'];

/** A log on a mount that may hang. */
class Home {
  readonly dir = tempDir();
  readonly ledger = path.join(this.dir, 'log');
  readonly mount = new HangingMount(this.dir, this.ledger);

  start(args: readonly string[]): Started {
    const env = { RUNFOLD_DIR: this.ledger, NODE_OPTIONS: this.mount.nodeOptions, TMPDIR: this.dir };
    return startCli(args, { cwd: this.dir, env });
  }

  losses(): unknown[] {
    return this.#events().flatMap((event) => (event.type === 'metric' ? [event.loss] : []));
  }

  types(): string[] {
    return this.#events().map(({ type }) => type);
  }

  #events(): Event[] {
    const files = fs.existsSync(path.join(this.ledger, 'events')) ? eventFiles(this.ledger) : [];
    return files.flatMap((file) => readLines(fs.readFileSync(file)).events);
  }
}

const SILENT =
  /^runfold: the storage has not answered since 2\S+Z \(\S+\/log\); waiting for it \(Ctrl-C ends that/m;

test.each([[METRIC], [['init', 'log']]])(
  '%j says that it waits, and goes on when the storage answers',
  async (args) => {
    const home = new Home();
    if (args[0] === 'emit') createLedger(home.ledger);
    home.mount.hang();
    const started = home.start(args);
    await started.says(SILENT);
    home.mount.answer();
    expect((await started.ended).code).toBe(0);
    if (args[0] === 'emit') expect(home.losses()).toEqual([0.5]);
    else expect(fs.existsSync(path.join(home.ledger, 'ledger.json'))).toBe(true);
  },
);

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends emit and init while they wait', async (signal) => {
  for (const args of [METRIC, ['init', 'log']]) {
    const home = new Home();
    if (args[0] === 'emit') createLedger(home.ledger);
    home.mount.hang();
    const started = home.start(args);
    await started.says(SILENT);
    started.kill(signal);
    expect(await started.ended).toMatchObject({ code: null, signal });
  }
});

test('emit on a storage that answers says nothing of it', async () => {
  const home = new Home();
  createLedger(home.ledger);
  const started = home.start(METRIC);
  expect(await started.ended).toMatchObject({ code: 0, stderr: '' });
  expect(home.losses()).toEqual([0.5]);
});

const line = (loss: number): string => `${JSON.stringify({ type: 'metric', run_id: RUN, loss })}\n`;

/** `emit -` that has written its first event, and is given more. */
async function begunStream(): Promise<{ home: Home; started: Started }> {
  const home = new Home();
  createLedger(home.ledger);
  const started = home.start(['emit', '-']);
  started.child.stdin?.write(line(1));
  await until('the first is in the log', () => home.losses().length === 1);
  return { home, started };
}

test('emit - writes its stream, and says when the storage hangs and answers again', async () => {
  const { home, started } = await begunStream();
  home.mount.hang();
  started.child.stdin?.write(line(2));
  await started.says(SILENT);
  home.mount.answer();
  await started.says('the storage answers again');
  started.child.stdin?.end(line(3));
  const { code, stderr } = await started.ended;
  expect(stderr).toContain('3 events written\n');
  expect(code).toBe(0);
  expect(home.losses()).toEqual([1, 2, 3]);
});

test('emit - ends by a signal as it would, if the storage answers', async () => {
  const { started } = await begunStream();
  started.kill('SIGTERM');
  const { code, stderr } = await started.ended;
  expect(stderr).toContain('1 event written\n');
  expect(code).toBe(1);
});

test('emit - that hangs is ended by Ctrl-C, and says how much is known to be in the log', async () => {
  const { home, started } = await begunStream();
  home.mount.hang();
  started.child.stdin?.write(line(2));
  await started.says(SILENT);
  started.kill('SIGINT');
  const { code, stderr } = await started.ended;
  expect(stderr).toMatch(/; interrupted: of \d records? that were read, [01] are known to be in the log$/m);
  expect(code).toBe(1);
});

test('emit - that is only slow is not given up after a signal', async () => {
  const { home, started } = await begunStream();
  home.mount.hang();
  started.kill('SIGTERM');
  // what it takes is longer than a storage that is known to hang is waited for, and shorter than one takes to be that
  const answer = setTimeout(() => home.mount.answer(), SLOW_MS);
  const { code, stderr } = await started.ended;
  clearTimeout(answer);
  expect(stderr).toBe('1 event written\n');
  expect(code).toBe(1);
});

test('emit - that loses its parent while it hangs writes what it has taken', async () => {
  const { home, started } = await begunStream();
  home.mount.hang();
  started.child.stdin?.write(line(2));
  await started.says(SILENT);
  started.kill('SIGKILL');
  await until('it has ended', () => started.child.signalCode !== null);
  home.mount.answer();
  await until('the file has its end', () => home.types().includes('writer_closed'));
  expect(home.losses()).toEqual([1, 2]);
});

test('emit - refuses and counts as ever', async () => {
  const home = new Home();
  createLedger(home.ledger);
  const started = home.start(['emit', '-']);
  started.child.stdin?.end(`${line(1)}{"type":"metrik"}\n`);
  const { code, stderr } = await started.ended;
  expect(stderr).toContain('1 event written, 1 refused\n');
  expect(code).toBe(1);
});
