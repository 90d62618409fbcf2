// What of a ledger’s directory is read, on real files, and that reading leaves no trace in it.
import * as fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findLedger } from '../../src/events/ledger.ts';
import { A, B, DAY, created, header, metric, notes, text, writerFile } from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';

const FILE_A = writerFile(A, created(0), metric(1));

describe('files', () => {
  test('nothing but its writer ever changes a file: reading moves, truncates and deletes none', async () => {
    const ledger = new TempLedger(FILE_A, notes('no json\n', text(metric(2))));
    // a copy, a part without LF and a second header are there to be left alone as well
    ledger.add({ path: `events/${DAY}/copy.ndjson`, bytes: FILE_A.bytes });
    ledger.add(writerFile(B, header(A), metric(1)));
    const before = traces(ledger.root);
    await ledger.pass();
    ledger.restart();
    await ledger.pass();
    await ledger.rebuilt();
    expect(traces(ledger.root)).toEqual(before);
    expect(before.length).toBeGreaterThan(6);
  });

  test('event files are regular files events/*/*.ndjson; doctor lists all else there', async () => {
    const ledger = new TempLedger(FILE_A);
    const outside = fs.mkdtempSync(path.join(ledger.root, 'outside-'));
    fs.writeFileSync(path.join(outside, 'secret.ndjson'), `${text(created(5))}\n`);
    const line = `${text(metric(2))}\n`;
    for (const name of ['loose.ndjson', `${DAY}/x.json`, `${DAY}/x.NDJSON`, `${DAY}/deeper/x.ndjson`]) {
      ledger.write(`events/${name}`, line);
    }
    for (const name of [`${DAY}/.hidden.ndjson`, `${DAY}/.ndjson`, '.snapshot/x.ndjson', `${DAY}/.nfs0001`]) {
      ledger.write(`events/${name}`, line);
    }
    fs.mkdirSync(ledger.path(`events/${DAY}/folder.ndjson`));
    fs.symlinkSync(path.join(outside, 'secret.ndjson'), ledger.path(`events/${DAY}/link.ndjson`));
    fs.symlinkSync(path.join(ledger.root, FILE_A.path), ledger.path(`events/${DAY}/inside.ndjson`));
    fs.symlinkSync(outside, ledger.path('events/linked'));
    await listen(ledger.path(`events/${DAY}/socket.ndjson`));

    const outcome = await ledger.pass();
    outcome.expectRows('run_metrics', [{ writer: A, seq: 3 }]).expectRejected();
    expect([...ledger.projector.activeFiles.keys()]).toEqual([FILE_A.path]);
    const strangers = outcome.findings().filter(({ kind }) => kind === 'stranger');
    expect(
      Object.fromEntries(strangers.map(({ where, what }) => [where.slice('events/'.length), what])),
    ).toEqual({
      '.snapshot': 'not read: directory',
      linked: 'not read: symbolic link',
      'loose.ndjson': 'not read: not an event file',
      [`${DAY}/.hidden.ndjson`]: 'not read: not an event file',
      [`${DAY}/.ndjson`]: 'not read: not an event file',
      [`${DAY}/.nfs0001`]: 'not read: not an event file',
      [`${DAY}/deeper`]: 'not read: directory',
      [`${DAY}/folder.ndjson`]: 'not read: directory',
      [`${DAY}/inside.ndjson`]: 'not read: symbolic link',
      [`${DAY}/link.ndjson`]: 'not read: symbolic link',
      [`${DAY}/socket.ndjson`]: 'not read: socket',
      [`${DAY}/x.NDJSON`]: 'not read: not an event file',
      [`${DAY}/x.json`]: 'not read: not an event file',
    });
  });
});

describe('the sentinel', () => {
  const BROKEN: [string, string, string][] = [
    ['is gone', '', 'ledger_not_found'],
    ['is empty', ' ', 'ledger_unreadable'],
    ['is cut off', '{"format":"runfold","version":1', 'ledger_unreadable'],
    ['is of another program', '{"format":"other","version":1}', 'ledger_unreadable'],
    ['is of a later version', sentinel({ version: 2 }), 'ledger_unreadable'],
    ['has an id that is a path', sentinel({ ledger_id: '../../etc/passwd' }), 'ledger_unreadable'],
  ];

  test.each(BROKEN)('without a readable ledger.json nothing is read: it %s', async (_, content, code) => {
    const ledger = new TempLedger(FILE_A);
    (await ledger.pass()).expectRows('run_metrics', [{ seq: 3 }]);
    const before = ledger.outcome().rows('run_metrics');
    const intact = ledger.read('ledger.json');
    if (content === '') ledger.remove('ledger.json');
    else ledger.write('ledger.json', content);
    ledger.append(FILE_A.path, `${text(metric(2, { seq: 4 }))}\n`);

    await expect(ledger.pass()).rejects.toMatchObject({ name: 'RunfoldError', code });
    expect(ledger.outcome().rows('run_metrics')).toEqual(before);
    ledger.write('ledger.json', intact);
    (await ledger.pass()).expectRows('run_metrics', [{ seq: 3 }, { seq: 4 }]);
  });

  test('an unmounted file system is reported, never mistaken for an empty ledger', async () => {
    const ledger = new TempLedger(FILE_A);
    await ledger.pass();
    const away = `${ledger.root}.away`;
    fs.renameSync(ledger.root, away);
    onTestFinished(() => fs.rmSync(away, { recursive: true, force: true }));
    // the directory is not there, then it is an empty mount point
    await expect(ledger.pass()).rejects.toMatchObject({ code: 'ledger_not_found' });
    fs.mkdirSync(ledger.root);
    await expect(ledger.pass()).rejects.toMatchObject({ code: 'ledger_not_found' });
    expect(fs.readdirSync(ledger.root)).toEqual([]);
    ledger
      .outcome()
      .expectRows('run_metrics', [{ seq: 3 }])
      .expectFile(FILE_A.path, { state: 'live' });
    fs.rmdirSync(ledger.root);
    fs.renameSync(away, ledger.root);
    (await ledger.pass()).expectRows('run_metrics', [{ seq: 3 }]).expectFile(FILE_A.path, { state: 'live' });
  });

  test('of an unknown ledger nothing is put into the database of another one', async () => {
    const ledger = new TempLedger(FILE_A);
    await ledger.pass();
    ledger.write('ledger.json', sentinel({ ledger_id: '11111111-2222-4333-8444-555555555555' }));
    await expect(ledger.pass()).rejects.toMatchObject({ code: 'database_other_ledger' });
  });

  test('where: named, else RUNFOLD_DIR, else the nearest .runfold/ upwards from the working directory', () => {
    const { root } = new TempLedger();
    const near = path.join(root, 'a/.runfold');
    fs.mkdirSync(path.join(root, 'a/b/c'), { recursive: true });
    fs.mkdirSync(path.join(root, '.runfold'));
    fs.mkdirSync(near);
    const cwd = path.join(root, 'a/b/c');
    expect(findLedger({ env: {}, cwd })).toBe(near);
    expect(findLedger({ env: { RUNFOLD_DIR: '../x' }, cwd })).toBe(path.join(root, 'a/b/x'));
    expect(findLedger({ explicit: 'y', env: { RUNFOLD_DIR: '../x' }, cwd })).toBe(path.join(cwd, 'y'));
    // a file of that name is no ledger, so the search goes on
    fs.rmdirSync(near);
    fs.writeFileSync(near, '');
    expect(findLedger({ env: { RUNFOLD_DIR: '' }, cwd })).toBe(path.join(root, '.runfold'));
  });
});

function sentinel(fields: object): string {
  const id = '00000000-0000-4000-8000-000000000000';
  return JSON.stringify({
    format: 'runfold',
    version: 1,
    ledger_id: id,
    created_at: '2026-11-23T10:00:00.000Z',
    ...fields,
  });
}

/** Every path with all that reading must not change. */
function traces(root: string): unknown[] {
  const names = fs.readdirSync(root, { recursive: true, encoding: 'utf8' });
  return names.toSorted().map((name) => {
    const { ino, mode, size, mtimeNs, ctimeNs, nlink } = fs.lstatSync(path.join(root, name), {
      bigint: true,
    });
    return [name, ino, mode, size, mtimeNs, ctimeNs, nlink].map(String);
  });
}

function listen(socket: string): Promise<void> {
  const server = net.createServer();
  onTestFinished(() => void server.close());
  return new Promise((resolve) => {
    server.listen(socket, resolve);
  });
}
