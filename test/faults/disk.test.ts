// Disks that are full or read-only, as they are: small file systems, which root may mount, and real processes.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, type TestContext } from 'vitest';
import { tempDir } from '../events/temp-dir.ts';
import { builtDir } from '../helpers/built.ts';
import { A, created, file, metric, NOTES, notes, writerFile } from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';
import { cleanEnv, runCliProcess, startCli, Started, type Ended } from '../process/cli-process.ts';
import { Desk } from './desk.ts';
import { LOG, NOW_MS, storageOf } from './files.ts';
import { sync } from './works.ts';

class SmallDisk {
  readonly dir = tempDir();

  /** Skips the test where no file system may be mounted. */
  constructor({ skip }: TestContext, size: string) {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', this.dir]);
    if (mounted.status !== 0) skip('needs the right to mount a tmpfs');
    onTestFinished(() => void spawnSync('umount', ['-l', this.dir]));
  }

  path(name: string): string {
    return path.join(this.dir, name);
  }

  /** Leaves not one byte. */
  fill(): void {
    const fd = fs.openSync(this.path('ballast'), 'a');
    try {
      for (;;) fs.writeSync(fd, Buffer.alloc(4096));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      fs.closeSync(fd);
    }
  }

  makeRoom(): void {
    fs.rmSync(this.path('ballast'));
  }

  remount(option: string): void {
    expect(spawnSync('mount', ['-o', `remount,${option}`, this.dir]).status).toBe(0);
  }
}

const FIVE = [1, 2, 3, 4, 5].map((minute) => metric(minute, { step: minute, loss: 1 / minute }));

class Place {
  readonly ledger = new TempLedger(writerFile(A, created(0), ...FIVE), notes(metric(1)));
  readonly db: string;
  readonly args: readonly string[];

  constructor(db: string) {
    this.db = db;
    this.args = ['--ledger', this.ledger.root, '--db', db];
  }

  async run(...command: string[]): Promise<Ended> {
    return await runCliProcess([...command, ...this.args]);
  }

  async json(...command: string[]): Promise<unknown> {
    const { stdout } = await this.run(...command, '--json');
    return JSON.parse(stdout);
  }

  appendMany(points: number, from: number): void {
    const lines = Array.from({ length: points }, (_, index) => metric(from + index, { step: from + index }));
    this.ledger.append(NOTES, notes(...lines).bytes);
  }

  async expectEqual(points: number): Promise<void> {
    const compared = expect.objectContaining({ run_metrics: points }) as unknown;
    expect(await this.json('verify')).toMatchObject({ differenceCount: 0, leftOut: [], compared });
    expect(await this.run('sync')).toMatchObject({ code: 0, stderr: '' });
    expect(besides(path.dirname(this.db))).toEqual([
      path.basename(this.db),
      `${path.basename(this.db)}.lock`,
    ]);
  }
}

/** But the notes on the storage and its calls. */
function besides(folder: string): string[] {
  const names = fs.readdirSync(folder);
  return names.filter((name) => !/\.(?:note|calls)$/.test(name)).toSorted();
}

const FULL = /runs\.db cannot be written: its disk is full/;

test('sync on a full disk says so, commands that read go on with what there is, and nothing is lost', async (context) => {
  const disk = new SmallDisk(context, '2m');
  const place = new Place(disk.path('runs.db'));
  expect(await place.run('sync')).toMatchObject({ code: 0 });
  disk.fill();
  place.appendMany(5, 10);

  expect(await place.run('sync')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(FULL) as string,
  });
  for (const command of ['runs', 'status']) {
    const { code, stdout, stderr } = await place.run(command, '--json');
    expect([code, stdout === ''], stderr).toEqual([0, false]);
    expect(stderr).toMatch(/not synced: .*its disk is full.*\nas of .* not synced since/s);
  }
  expect(await place.run('verify')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('its disk is full') as string,
  });

  disk.makeRoom();
  await place.expectEqual(11);
});

test('watch on a disk that fills says so once, others read on, and it goes on by itself when there is room', async (context) => {
  const disk = new SmallDisk(context, '4m');
  const place = new Place(disk.path('runs.db'));
  const watch = startCli(['watch', ...place.args]);
  await watch.says('7 new events');
  disk.fill();
  place.appendMany(4_000, 10);
  await watch.says(/trouble: .*runs\.db cannot be written: its disk is full; trying again/);
  expect(await place.json('runs')).toHaveLength(1);
  const { stderr } = await place.run('status');
  expect(stderr).toContain('kept by watch');

  disk.remount('size=64m');
  await watch.says('it works again');
  await watch.says('4,000 new events');
  watch.kill('SIGTERM');
  expect(await watch.ended).toMatchObject({ code: 0 });
  expect(watch.stderr.match(/trouble/g)).toHaveLength(1);
  fs.rmSync(disk.path('ballast'));
  await place.expectEqual(4_006);
});

test('a database on a read-only file system is read, and who wants to write is told', async (context) => {
  const disk = new SmallDisk(context, '4m');
  const place = new Place(disk.path('runs.db'));
  expect(await place.run('sync')).toMatchObject({ code: 0 });
  disk.remount('ro');
  expect(besides(disk.dir)).toEqual(['runs.db', 'runs.db.lock']);
  const message = expect.stringMatching(/runs\.db cannot be written: it is read-only/) as string;
  expect(await place.run('sync')).toMatchObject({ code: 1, stderr: message });
  expect(await place.json('runs')).toHaveLength(1);
  expect(await place.json('status')).toMatchObject({ holder: null, events: 7 });
});

test('a database of somebody else that may only be read is read', async ({ skip }) => {
  const isRoot = process.getuid?.() === 0;
  const drop = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
  if (isRoot && spawnSync(drop[0]!, [...drop.slice(1), '-e', '']).status !== 0) {
    skip('runs as root, and cannot become somebody else (setpriv)');
  }
  const dir = tempDir();
  const place = new Place(path.join(dir, 'runs.db'));
  expect(await place.run('sync')).toMatchObject({ code: 0 });
  fs.chmodSync(place.db, 0o444);
  fs.chmodSync(`${place.db}.lock`, 0o444);
  fs.chmodSync(place.ledger.root, 0o755);
  fs.chmodSync(dir, 0o555);
  const [command, ...before] = isRoot ? drop : [process.execPath];
  const args = [...before, path.join(builtDir(), 'cli/main.js'), 'runs', ...place.args];
  const child = spawn(command!, args, { env: cleanEnv(), cwd: '/' });
  child.stdin.end();
  const { code, stdout, stderr } = await new Started(child).ended;
  fs.chmodSync(dir, 0o755);
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/not synced: .*cannot be written: it is read-only/),
  ]);
  expect(stdout).toContain('mnist');
});

test('on a full log a command that is recorded ends as it would, and its events wait in the spool', async (context) => {
  const disk = new SmallDisk(context, '64k');
  const ledger = disk.path('log');
  expect(await runCliProcess(['init', ledger])).toMatchObject({ code: 0 });
  disk.fill();
  const env = { TMPDIR: tempDir(), RUNFOLD_DIR: ledger };
  const command = ['exec', '--dataset', 'd', '--', 'sh', '-c', 'echo trained; exit 7'];
  const ended = await runCliProcess(command, { env });
  expect(ended).toMatchObject({ code: 7, stdout: 'trained\n' });
  expect(ended.stderr).toMatch(/No space|ENOSPC|only a part/);
  expect(ended.stderr).toMatch(/events are in .*runfold-spool/);
});

/** SQLite itself refuses the page after the last one, and ends the transaction by itself. */
test('a database that may have N pages, for every N until all fits: no half of anything, and the next pass has it all', async () => {
  const desk = new Desk(storageOf(LOG.FIRST), NOW_MS);
  await sync(desk);
  const before = desk.content;
  const many = Array.from({ length: 300 }, (_, index) =>
    metric(index, { step: index, extra: { note: index } }),
  );
  const files = [...LOG.GROWN, file(`events/2026-11-23/more.ndjson`, ...many)];
  const grown = new Desk(storageOf(files), NOW_MS);
  await sync(grown);
  const expected = grown.dump();
  let refused = 0;
  for (let extra = 0; ; extra += 1) {
    grown.reset(before);
    let isFull = false;
    {
      using open = grown.open();
      const pages = Number(open.db.pragma('page_count', { simple: true }));
      open.db.pragma(`max_page_count = ${pages + extra}`);
      const outcome = await open.projector.pass({ thorough: true }).catch((error: unknown) => error);
      isFull = outcome instanceof Error;
      if (isFull) expect(outcome).toMatchObject({ code: 'SQLITE_FULL' });
      // the same projector, when there is room
      open.db.pragma('max_page_count = 1000000');
      if (isFull && extra % 2 === 0) await open.projector.pass({ thorough: true });
    }
    if (!isFull) break;
    refused += 1;
    await sync(grown);
    grown.expectSound(expected, `with ${extra} pages more`);
  }
  expect(refused).toBeGreaterThan(5);
});
