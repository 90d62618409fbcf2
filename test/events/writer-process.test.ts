// What real processes leave behind: ended, signalled, killed, many at once.
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runScript, startScript, storyOf, withLedger } from './processes.ts';
import { eventFiles, numbersTo, readLines, readOnlyFile, seqsOf } from './read-lines.ts';

const LEDGER = { RUNFOLD_DIR: 'ledger' };

describe('the end of a process', () => {
  it.each<[string, string, number | null, NodeJS.Signals | null, string[]]>([
    ['by running out', 'run.log({ loss: 1 });', 0, null, ['metric', 'completed 0']],
    ['by process.exit(3)', 'run.log({ loss: 1 }); process.exit(3);', 3, null, ['metric', 'failed 3']],
    ['by process.exitCode', 'process.exitCode = 4;', 4, null, ['failed 4']],
    [
      'by an exception',
      'run.log({ loss: 1 }); throw new RangeError("lr");',
      1,
      null,
      ['metric', 'error', 'failed 1'],
    ],
    ['by a rejection', 'await Promise.reject(new Error("no"));', 1, null, ['error', 'failed 1']],
    ['by nothing left to wait for', 'await new Promise(() => {});', 13, null, ['failed 13']],
    ['after close', 'await run.close({ status: "timeout" }); process.exit(7);', 7, null, ['timeout']],
    ['after setStatus', 'run.setStatus("failed", { exitCode: 9 });', 0, null, ['failed 9']],
    [
      'by an exception that the program outlives',
      'process.on("uncaughtException", () => {}); setTimeout(() => run.log({ loss: 1 }), 1); throw new Error("x");',
      0,
      null,
      ['error', 'metric', 'completed 0'],
    ],
    [
      'by a disposed run and an exception',
      '{ await run[Symbol.asyncDispose](); } throw new Error("x");',
      1,
      null,
      ['error', 'failed 1'],
    ],
  ])('%s is its own, and recorded', async (_, body, code, signal, story) => {
    const { dir, ledger } = withLedger();
    const ended = await runScript(dir, `const run = RunLogger.create();\n${body}`, LEDGER);
    expect([ended.code, ended.signal]).toEqual([code, signal]);
    const read = readOnlyFile(ledger);
    expect(storyOf(read)).toEqual(['run_created', 'running', ...story, 'writer_closed']);
    expect(read.events.at(-1)).toMatchObject({ events: read.events.length - 1 });
  });

  it('by an exception prints what Node prints without us', async () => {
    const { dir } = withLedger();
    const body = 'throw new RangeError("lr");';
    const [with_, without] = [
      await runScript(dir, `const run = RunLogger.create();\n${body}`, LEDGER),
      await runScript(dir, `\n${body}`, LEDGER),
    ];
    const plain = (text: string): string => text.replaceAll(/script-\w+/g, 'script');
    expect(plain(with_.stderr)).toBe(plain(without.stderr));
  });

  it('of a worker thread is recorded in a file of its own', async () => {
    const { dir, ledger } = withLedger();
    const body = `
      import { isMainThread, Worker } from 'node:worker_threads';
      const run = RunLogger.create({ seed: isMainThread ? 1 : 2 });
      run.log({ loss: 1 });
      if (isMainThread) new Worker(new URL(import.meta.url)).on('error', () => {});
      else throw new Error('in the worker');`;
    const ended = await runScript(dir, body, LEDGER);
    expect(ended.code).toBe(0);
    const stories = eventFiles(ledger).map((file) =>
      storyOf(readLines(fs.readFileSync(file)))
        .slice(2)
        .join(', '),
    );
    expect(stories.toSorted()).toEqual([
      'metric, completed 0, writer_closed',
      'metric, error, failed 1, writer_closed',
    ]);
  });
});

describe('SIGTERM', () => {
  const ready = 'run.log({ loss: 1 }); setInterval(() => {}, 1000); console.log("ready");';

  async function terminated(
    body: string,
  ): Promise<{ ended: [number | null, string | null]; story: string[] }> {
    const { dir, ledger } = withLedger();
    const script = startScript(dir, `const run = RunLogger.create();\n${body}\n${ready}`, LEDGER);
    await script.line(0);
    script.child.kill('SIGTERM');
    const { code, signal } = await script.ended;
    return { ended: [code, signal], story: storyOf(readOnlyFile(ledger)).slice(2) };
  }

  it('without a listener of the program still kills it, and is recorded', async () => {
    const { ended, story } = await terminated('');
    expect(ended).toEqual([null, 'SIGTERM']);
    expect(story).toEqual(['metric', 'failed SIGTERM', 'writer_closed']);
  });

  it.each(['on', 'once', 'prependListener'])(
    'with a listener by %s runs that, and keeps its exit code',
    async (by) => {
      const { ended, story } = await terminated(
        `process.${by}('SIGTERM', () => setTimeout(() => { run.log({ loss: 2 }); process.exit(5); }, 20));`,
      );
      expect(ended).toEqual([5, null]);
      expect(story).toEqual(['metric', 'metric', 'failed 5 SIGTERM', 'writer_closed']);
    },
  );

  it('with a once-listener that was there before runs that', async () => {
    const { dir, ledger } = withLedger();
    const body = `
      process.once('SIGTERM', () => setTimeout(() => process.exit(5), 20));
      const run = RunLogger.create();
      ${ready}`;
    const script = startScript(dir, body, LEDGER);
    await script.line(0);
    script.child.kill('SIGTERM');
    expect((await script.ended).code).toBe(5);
    expect(storyOf(readOnlyFile(ledger)).slice(2)).toEqual(['metric', 'failed 5 SIGTERM', 'writer_closed']);
  });

  it('with a listener that takes too long has its data written before', async () => {
    const { ended, story } = await terminated(
      `process.on('SIGTERM', () => process.kill(process.pid, 'SIGKILL'));`,
    );
    expect(ended).toEqual([null, 'SIGKILL']);
    expect(story).toEqual(['metric']);
  });

  it('with a listener that says the end leaves it at that', async () => {
    const { ended, story } = await terminated(
      `process.on('SIGTERM', async () => { await run.close({ status: 'completed', reason: 'checkpointed' }); process.exit(0); });`,
    );
    expect(ended).toEqual([0, null]);
    expect(story).toEqual(['metric', 'completed checkpointed', 'writer_closed']);
  });

  it('with a listener that is gone after the first one kills at the second', async () => {
    const { dir, ledger } = withLedger();
    const body = `const run = RunLogger.create();\nprocess.once('SIGTERM', () => console.log('once'));\n${ready}`;
    const script = startScript(dir, body, LEDGER);
    await script.line(0);
    script.child.kill('SIGTERM');
    expect(await script.line(1)).toBe('once');
    script.child.kill('SIGTERM');
    expect((await script.ended).signal).toBe('SIGTERM');
    expect(storyOf(readOnlyFile(ledger)).slice(2)).toEqual(['metric', 'failed SIGTERM', 'writer_closed']);
  });

  it('with listeners that count others before they let it die, as signal-exit does, kills and is recorded', async () => {
    const { ended, story } = await terminated(`
      const emitter = { count: 1 };
      Object.defineProperty(globalThis, Symbol.for('signal-exit emitter'), { value: emitter });
      const listener = () => {
        if (process.listeners('SIGTERM').length !== emitter.count) return;
        process.off('SIGTERM', listener);
        process.kill(process.pid, 'SIGTERM');
      };
      process.on('SIGTERM', listener);`);
    expect(ended).toEqual([null, 'SIGTERM']);
    expect(story).toEqual(['metric', 'failed SIGTERM', 'writer_closed']);
  });

  it('is the only signal that is watched, unless another is asked for', async () => {
    const { dir, ledger } = withLedger();
    const body = (options: string): string => `const run = RunLogger.create(${options});\n${ready}`;
    const script = startScript(dir, body('{ seed: 1 }'), LEDGER);
    await script.line(0);
    script.child.kill('SIGINT');
    expect((await script.ended).signal).toBe('SIGINT');
    expect(storyOf(readOnlyFile(ledger))).toEqual(['run_created', 'running']);

    const asked = startScript(dir, body('{ seed: 2, signals: ["SIGINT"] }'), LEDGER);
    await asked.line(0);
    asked.child.kill('SIGINT');
    expect((await asked.ended).signal).toBe('SIGINT');
    const last = readLines(fs.readFileSync(eventFiles(ledger)[1] ?? ''));
    expect(storyOf(last).slice(2)).toEqual(['metric', 'failed SIGINT', 'writer_closed']);
  });
});

describe('SIGKILL', () => {
  it('at any moment leaves every line for which flush() had returned, and at most one torn', async () => {
    const body = `
      const run = RunLogger.create();
      for (let step = 1; ; step += 1) {
        run.log({ loss: 1 / step, note: step }, { step });
        if (step % 7 === 0) run.flush();
        if (step % 7 === 0) process.stdout.write(step + '\\n');
        if (step % 49 === 0) await new Promise((resolve) => setImmediate(resolve));
      }`;
    const kills = Array.from({ length: 12 }, async (_, at) => {
      const { dir, ledger } = withLedger();
      const script = startScript(dir, body, LEDGER);
      await script.line(at * 5);
      script.child.kill('SIGKILL');
      const { signal, stdout } = await script.ended;
      expect(signal).toBe('SIGKILL');
      const acknowledged = Number(stdout.slice(0, stdout.lastIndexOf('\n')).split('\n').at(-1));
      const read = readOnlyFile(ledger);
      expect(read.rejected).toEqual([]);
      expect(seqsOf(read)).toEqual(numbersTo(read.events.length));
      expect(read.events.length).toBeGreaterThanOrEqual(acknowledged + 3);
    });
    await Promise.all(kills);
  });
});

describe('many processes', () => {
  it('at once make one valid file each', async () => {
    const { dir, ledger } = withLedger();
    const body = `
      const run = RunLogger.create({ seed: Number(process.env.SEED) });
      for (let step = 0; step < 20; step += 1) run.log({ loss: step }, { step });`;
    const all = Array.from(
      { length: 50 },
      async (_, at) => await runScript(dir, body, { ...LEDGER, SEED: String(at) }),
    );
    for (const { code, stderr } of await Promise.all(all)) expect([code, stderr]).toEqual([0, '']);
    const files = eventFiles(ledger);
    expect(files).toHaveLength(50);
    const seeds = files.map((file) => {
      const read = readLines(fs.readFileSync(file));
      expect(read).toMatchObject({ rejected: [], tail: 0 });
      expect(seqsOf(read)).toEqual(numbersTo(25));
      const created = read.events[1];
      return created?.type === 'run_created' ? created.seed : undefined;
    });
    expect(new Set(seeds).size).toBe(50);
  });

  it('that are the ranks of a launch make one run, and share its attempt', async () => {
    const { dir, ledger } = withLedger();
    const body = `
      const run = RunLogger.create({ seed: 1, allRanks: true });
      run.log({ loss: 1 });`;
    const step = { SLURM_JOB_ID: '10', SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '3' };
    const ranks = ['0', '1', '2'].map(
      async (rank) => await runScript(dir, body, { ...LEDGER, ...step, SLURM_PROCID: rank }),
    );
    for (const { code, stderr } of await Promise.all(ranks)) expect([code, stderr]).toEqual([0, '']);
    const reads = eventFiles(ledger).map((file) => readLines(fs.readFileSync(file)));
    const headers = reads.map((read) => read.events[0]);
    expect(new Set(headers.map((event) => (event?.type === 'writer_opened' ? event.attempt : ''))).size).toBe(
      1,
    );
    expect(reads.map((read) => storyOf(read).join(' ')).toSorted()).toEqual([
      'metric writer_closed',
      'metric writer_closed',
      'run_created slurm_info running metric completed 0 writer_closed',
    ]);
    for (const file of eventFiles(ledger)) expect(path.basename(file)).toMatch(/-slurm10\.ndjson$/);
  });
});
