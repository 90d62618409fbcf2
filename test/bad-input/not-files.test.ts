// What poses as an event file and is none: it is reported, hangs nobody, and stops nothing.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DirectoryStorage } from '../../src/projector/storage.ts';
import { A, B, DAY, RUN, created, metric, notes, text, writerFile } from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';

const GOOD = writerFile(A, created(0), metric(1));
const FAKE = `events/${DAY}/fake.ndjson`;
const SECRET = `${text(metric(2, { loss: 42 }))}\n`;

/** A file elsewhere, whose content must not be read through the ledger. */
function secret(ledger: TempLedger): string {
  const dir = fs.mkdtempSync(`${ledger.root}-elsewhere-`);
  onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
  fs.writeFileSync(`${dir}/fake.ndjson`, SECRET);
  return dir;
}

/** Ways to put something at FAKE (or in the place of its folder) that is no event file. */
const POSERS: Record<string, (ledger: TempLedger, path: string) => void> = {
  'a symbolic link to a file elsewhere': (ledger, path) =>
    fs.symlinkSync(`${secret(ledger)}/fake.ndjson`, path),
  'a symbolic link to an event file of the ledger': (ledger, path) =>
    fs.symlinkSync(ledger.path(GOOD.path), path),
  'a symbolic link to nothing': (_, path) => fs.symlinkSync('/nonexistent/fake.ndjson', path),
  'a symbolic link to itself': (_, path) => fs.symlinkSync(path, path),
  'a FIFO': (_, path) => execFileSync('mkfifo', [path]),
  'a directory': (_, path) => fs.mkdirSync(path),
  'a link to a device': (_, path) => fs.symlinkSync('/dev/zero', path),
};

describe.each(Object.entries(POSERS))('%s', (_, pose) => {
  test('is not listed as an event file, but as a stranger; the other files are read', async () => {
    const ledger = new TempLedger(GOOD);
    pose(ledger, ledger.path(FAKE));
    const outcome = await ledger.pass();
    outcome.expectRows('run_metrics', [{ writer: A }]).expectRejected();
    outcome.expectFinding({ kind: 'stranger', where: FAKE });
    expect(ledger.projector.file(FAKE)).toBeUndefined();
  });

  test('does no harm when a hint names it: the tables and what is reported are as without the hint', async () => {
    const ledger = new TempLedger(GOOD);
    pose(ledger, ledger.path(FAKE));
    await ledger.pass({ only: [FAKE] });
    const outcome = await ledger.pass();
    outcome.expectRows('run_metrics', [{ writer: A }]);
    expect(outcome.findings()).toEqual((await ledger.rebuilt()).findings());
  });

  test('in the place of a file that was read: reported as missing, its rows stay; right again when the file is back', async () => {
    const ledger = new TempLedger(GOOD, {
      path: FAKE,
      bytes: Buffer.from(`${text(metric(3, { loss: 3 }))}\n`),
    });
    await ledger.pass();
    fs.renameSync(ledger.path(FAKE), ledger.path('aside'));
    pose(ledger, ledger.path(FAKE));
    // as after a swap between listing and opening: the look is at the path alone
    for (const options of [{ only: [FAKE] }, { thorough: true }]) {
      const outcome = await ledger.pass(options);
      outcome.expectRows('run_metrics', [{ writer: A }, { loss: 3 }]).expectFile(FAKE, { state: 'missing' });
      outcome.expectFinding({ kind: 'missing', where: FAKE, severity: 'problem' });
    }
    fs.rmSync(ledger.path(FAKE), { recursive: true });
    fs.renameSync(ledger.path('aside'), ledger.path(FAKE));
    ledger.append(FAKE, `${text(metric(4, { loss: 4 }))}\n`);
    (await ledger.pass())
      .expectRows('run_metrics', [{ writer: A }, { loss: 3 }, { loss: 4 }])
      .expectFile(FAKE, { state: 'live' });
  });
});

test('eight FIFOs do not use up the threads that serve file calls', async () => {
  const ledger = new TempLedger(GOOD);
  const paths = Array.from({ length: 8 }, (_, index) => `events/${DAY}/fifo${index}.ndjson`);
  execFileSync(
    'mkfifo',
    paths.map((path) => ledger.path(path)),
  );
  const storage = new DirectoryStorage(ledger.root);
  const reads = await Promise.all(paths.map((path) => storage.read(path, 0, 100)));
  expect(reads).toEqual(paths.map((path) => ({ path, reason: 'FIFO' })));
  (await ledger.pass()).expectRows('run_metrics', [{ writer: A }]);
});

describe('paths that are none of an event file', () => {
  const OTHERS = ['events/loose.ndjson', `events/${DAY}/.hidden.ndjson`, 'events/.git/x.ndjson', `events/${DAY}/deep/x.ndjson`,
    `events/${DAY}/x.json`, 'ledger.json', 'x.ndjson', `events/../events/${DAY}/fake.ndjson`, `events/${DAY}/`, '']; // prettier-ignore
  test.each(OTHERS)('a hint for %j changes nothing', async (path) => {
    const ledger = new TempLedger(GOOD, notes(metric(2)));
    if (path !== '' && !path.endsWith('/') && path !== 'ledger.json' && !path.includes('..'))
      ledger.write(path, SECRET);
    await ledger.pass({ only: [path] });
    const outcome = await ledger.pass();
    outcome.expectRows('run_metrics', [{ writer: A }, { writer: `${DAY}/notes` }]);
    expect(outcome.findings()).toEqual((await ledger.rebuilt()).findings());
  });

  test('a hint for a file that came just now reads it', async () => {
    const ledger = new TempLedger(GOOD);
    await ledger.pass();
    ledger.add(writerFile(B, metric(5)));
    (await ledger.pass({ only: [writerFile(B).path] })).expectRows('run_metrics', [
      { writer: A },
      { writer: B },
    ]);
  });

  test('a hint for a file that is gone already leaves no trace', async () => {
    const ledger = new TempLedger(GOOD);
    await ledger.pass({ only: [`events/${DAY}/gone.ndjson`, 'events/no-such-day/gone.ndjson'] });
    const outcome = await ledger.pass();
    expect([...ledger.projector.activeFiles.keys()]).toEqual([GOOD.path]);
    expect(outcome.findings()).toEqual([]);
  });
});

describe('a folder that is a symbolic link', () => {
  test('is not read, and listed as a stranger', async () => {
    const ledger = new TempLedger(GOOD);
    fs.symlinkSync(secret(ledger), ledger.path('events/linked'));
    const outcome = await ledger.pass();
    outcome
      .expectRows('run_metrics', [{ writer: A }])
      .expectFinding({ kind: 'stranger', where: 'events/linked', what: 'not read: symbolic link' });
  });

  test('in the place of a folder whose files were read: nothing is read through it', async () => {
    const ledger = new TempLedger(GOOD, {
      path: 'events/x/fake.ndjson',
      bytes: Buffer.from(`${text(metric(3))}\n`),
    });
    await ledger.pass();
    const elsewhere = secret(ledger);
    fs.writeFileSync(`${elsewhere}/fake.ndjson`, `${text(metric(3))}\n${SECRET}`);
    fs.renameSync(ledger.path('events/x'), ledger.path('x'));
    fs.symlinkSync(elsewhere, ledger.path('events/x'));
    for (const options of [{ only: ['events/x/fake.ndjson'] }, { thorough: true }]) {
      (await ledger.pass(options)).expectRows('run_metrics', [
        { writer: A, loss: null },
        { writer: 'x/fake', loss: null },
      ]);
    }
    ledger.outcome().expectFile('events/x/fake.ndjson', { state: 'missing' });
  });
});

describe('links above the files', () => {
  test('events/ that is one is not read: said as an error, and a hint reads nothing through it', async () => {
    const ledger = new TempLedger(GOOD);
    const elsewhere = secret(ledger);
    fs.mkdirSync(`${elsewhere}/${DAY}`);
    fs.renameSync(`${elsewhere}/fake.ndjson`, `${elsewhere}/${DAY}/fake.ndjson`);
    await ledger.pass();
    fs.renameSync(ledger.path('events'), ledger.path('aside'));
    fs.symlinkSync(elsewhere, ledger.path('events'));
    await expect(ledger.pass()).rejects.toMatchObject({
      code: 'ledger_unreadable',
      message: `${ledger.path('events')} is a symbolic link, which is not followed`,
    });
    expect(await ledger.storage.read(FAKE, 0, 100)).toEqual({ path: FAKE, reason: 'ENOTDIR' });
    ledger.outcome().expectRows('run_metrics', [{ writer: A }]);
    fs.rmSync(ledger.path('events'));
    fs.renameSync(ledger.path('aside'), ledger.path('events'));
    (await ledger.pass())
      .expectRows('run_metrics', [{ writer: A }])
      .expectFile(GOOD.path, { state: 'live', reason: null });
  });

  test('the log’s own directory may be one, and may be led elsewhere while it is read', async () => {
    const ledger = new TempLedger(GOOD);
    const link = `${secret(ledger)}/log`;
    fs.symlinkSync(ledger.root, link);
    const storage = new DirectoryStorage(link);
    expect((await storage.list()).files).toEqual([GOOD.path]);
    fs.renameSync(ledger.root, `${ledger.root}-moved`);
    onTestFinished(() => fs.rmSync(`${ledger.root}-moved`, { recursive: true, force: true }));
    fs.rmSync(link);
    fs.symlinkSync(`${ledger.root}-moved`, link);
    expect(await storage.read(GOOD.path, 0, 10)).toMatchObject({ bytes: GOOD.bytes.subarray(0, 10) });
  });

  test('a folder that is swapped for one again and again: what is read is always its own', async () => {
    const ledger = new TempLedger({
      path: FAKE,
      bytes: Buffer.from(`${text(metric(3))}
`),
    });
    const own = ledger.read(FAKE);
    const elsewhere = secret(ledger);
    const folder = ledger.path(`events/${DAY}`);
    let isSwapping = true;
    const swap = (async () => {
      while (isSwapping) {
        await fs.promises.rename(folder, `${folder}-aside`);
        await fs.promises.symlink(elsewhere, folder);
        await fs.promises.rm(folder);
        await fs.promises.rename(`${folder}-aside`, folder);
      }
    })();
    let reads = 0;
    for (let look = 0; look < 1000; look += 1) {
      const part = await ledger.storage.read(FAKE, 0, 1000);
      if ('reason' in part) continue;
      reads += 1;
      expect(part.bytes.toString()).toBe(own.toString());
    }
    isSwapping = false;
    await swap;
    expect(reads).toBeGreaterThan(0);
  });
});

test('names with newlines, escapes and quotes are names like any other, and are told apart', async () => {
  const names = [
    'a\nb',
    '\u001b[31mred',
    "it's",
    '"quoted"',
    'back\\slash',
    'blank ',
    '%00',
    '-rf',
    '$(id)',
    'é',
    'e\u0301',
    '__proto__',
    '😀',
    'a\tb',
    '*',
  ];
  const files = names.map((name) => ({
    path: `events/${name}/${name}.ndjson`,
    bytes: Buffer.from(`no json\n${text(metric(1))}\n`),
  }));
  const ledger = new TempLedger(...files);
  const outcome = await ledger.pass();
  const writers = outcome.rows('run_metrics').map(({ writer }) => writer);
  expect(new Set(writers)).toEqual(new Set(names.map((name) => `${name}/${name}`)));
  const rejected = outcome.rows('_rejected').map(({ file, code }) => `${String(file)} ${String(code)}`);
  expect(new Set(rejected)).toEqual(new Set(files.map(({ path }) => `${path} not_json`)));
  expect(Object.prototype).not.toHaveProperty('path');
  expect(outcome.rows('run_metrics').every(({ run_id }) => run_id === RUN)).toBe(true);
});

test('a name that is not UTF-8 is reported, and the files beside it are read', async () => {
  const ledger = new TempLedger(GOOD);
  const name = Buffer.concat([
    Buffer.from(ledger.path(`events/${DAY}/bad-`)),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('.ndjson'),
  ]);
  fs.writeFileSync(name, SECRET);
  for (let pass = 0; pass < 2; pass += 1) {
    const outcome = await ledger.pass();
    outcome.expectRows('run_metrics', [{ writer: A }]);
    outcome.expectFinding({ where: `events/${DAY}/bad-\ufffd\ufffd.ndjson` });
  }
});
