// Real processes whose ledger is missing or full.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLedger, readLedger } from '../../src/events/ledger.ts';
import { runScript, startScript, storyOf } from './processes.ts';
import { numbersTo, readOnlyFile, seqsOf } from './read-lines.ts';
import { tempDir } from './temp-dir.ts';

describe('without a ledger', () => {
  it('training goes on, nothing is made, and the printed mend brings everything in', async () => {
    const dir = tempDir();
    const body = `
      const run = RunLogger.create();
      for (let step = 0; step < 5; step += 1) run.log({ loss: step }, { step });
      await run.close();
      console.log('trained');`;
    const ended = await runScript(dir, body, { RUNFOLD_DIR: "it's a ledger" });
    expect([ended.code, ended.stdout]).toEqual([0, 'trained\n']);
    const ledger = path.join(dir, "it's a ledger");
    expect(fs.existsSync(ledger)).toBe(false);
    const said = ended.stderr.trimEnd().split('\n');
    expect(said).toHaveLength(2);

    for (const line of said) {
      fs.rmSync(ledger, { recursive: true, force: true });
      createLedger(ledger);
      const mend = /mkdir -p .*$/.exec(line)?.[0] ?? '';
      execFileSync('sh', ['-c', mend]);
      const read = readOnlyFile(ledger);
      expect(storyOf(read)).toEqual([
        'run_created',
        'running',
        ...Array<string>(5).fill('metric'),
        'completed',
        'writer_closed',
      ]);
    }
  });

  it('one that comes while the program runs gets everything', async () => {
    const dir = tempDir();
    const body = `
      const run = RunLogger.create();
      console.log('started');
      const writer = openWriter();
      const timer = setInterval(() => {
        run.log({ loss: 1 });
        if (!writer.status.isFailing) clearInterval(timer);
      }, 10);`;
    const script = startScript(dir, body);
    await script.line(0);
    createLedger(path.join(dir, '.runfold'));
    const { code, stderr } = await script.ended;
    expect(code).toBe(0);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(stderr).toContain('can be written again; nothing was lost');
    const read = readOnlyFile(path.join(dir, '.runfold'));
    expect(seqsOf(read)).toEqual(numbersTo(read.events.length));
    expect(read.events.at(-1)?.type).toBe('writer_closed');
    expect(fs.readdirSync(path.join(dir, `runfold-spool-${process.getuid?.() ?? ''}`))).toEqual([]);
  });

  it('without anything named, the mend is where runfold init makes one', async () => {
    const dir = tempDir();
    const ended = await runScript(dir, 'RunLogger.create();');
    const mend = /mkdir -p .*$/m.exec(ended.stderr)?.[0] ?? '';
    createLedger(path.join(dir, '.runfold'));
    execFileSync('sh', ['-c', mend]);
    expect(readLedger(path.join(dir, '.runfold')).path).toBe(path.join(dir, '.runfold'));
    expect(storyOf(readOnlyFile(path.join(dir, '.runfold'))).at(-1)).toBe('writer_closed');
  });
});

/** A tmpfs of 256 KiB, undefined where one may not be mounted. */
function smallDisk(): string | undefined {
  const dir = tempDir();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', dir]);
  if (mounted.status !== 0) return undefined;
  onTestFinished(() => void spawnSync('umount', ['-l', dir]));
  return dir;
}

describe('a full disk', () => {
  it('costs nothing: what does not fit waits, and comes in when there is room', async ({ skip }) => {
    const disk = smallDisk();
    if (disk === undefined) return skip('needs the right to mount a tmpfs');
    const dir = tempDir();
    const ledger = createLedger(path.join(disk, 'ledger')).path;
    fs.writeFileSync(path.join(disk, 'ballast'), 'x'.repeat(200_000));
    const body = `
      import * as fs from 'node:fs';
      const run = RunLogger.create();
      const writer = openWriter();
      let step = 0;
      while (!writer.status.isFailing) { run.log({ loss: step }, { step: (step += 1) }); run.flush(); }
      for (let more = 0; more < 500; more += 1) run.log({ loss: step }, { step: (step += 1) });
      fs.rmSync(${JSON.stringify(path.join(disk, 'ballast'))});
      while (writer.status.isFailing) { run.log({ loss: step }, { step: (step += 1) }); run.flush(); await new Promise((resolve) => setTimeout(resolve, 50)); }
      console.log(step);`;
    const { code, stdout, stderr } = await runScript(dir, body, { RUNFOLD_DIR: ledger });
    expect(code).toBe(0);
    expect(stderr).toMatch(/ENOSPC|only a part/);
    expect(stderr).toContain('can be written again; nothing was lost');
    const read = readOnlyFile(ledger);
    expect(seqsOf(read)).toEqual(numbersTo(Number(stdout) + 5));
    // torn lines, each ended before the next
    expect(read.rejected.length).toBeLessThan(5);
  });

  it('that stays full leaves the rest in the spool, with the mend', async ({ skip }) => {
    const disk = smallDisk();
    if (disk === undefined) return skip('needs the right to mount a tmpfs');
    const dir = tempDir();
    const ledger = createLedger(path.join(disk, 'ledger')).path;
    fs.writeFileSync(path.join(disk, 'ballast'), 'x'.repeat(200_000));
    const body = `
      const run = RunLogger.create();
      for (let step = 1; step <= 400; step += 1) run.log({ loss: step }, { step });
      run.flush();`;
    const { code, stderr } = await runScript(dir, body, { RUNFOLD_DIR: ledger });
    expect(code).toBe(0);
    fs.rmSync(path.join(disk, 'ballast'));
    execFileSync('sh', ['-c', /mkdir -p .*$/m.exec(stderr)?.[0] ?? '']);
    expect(seqsOf(readOnlyFile(ledger))).toEqual(numbersTo(405));
  });
});
