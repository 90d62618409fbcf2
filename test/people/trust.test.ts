// Files of others: whose they are is shown, and they are read if their owner is to be trusted.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { IN_MEMORY, openForWriting } from '../../src/db/open.ts';
import { findings, ledgerStatus } from '../../src/projector/health.ts';
import { Projector } from '../../src/projector/projector.ts';
import type { People, TrustLevel } from '../../src/projector/trust.ts';
import { Outcome } from '../helpers/given.ts';
import { A, B, C, closed, created, header, metric, notes, text, writerFile } from '../helpers/lines.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { Home } from '../projector/home.ts';
import { tempDir } from '../events/temp-dir.ts';
import { Desk, type Ran } from '../cli/command.ts';
import { runCliProcess } from '../process/cli-process.ts';
import { CLI, DAEMON, NOBODY, publicFolder, runAs, whyNoOthers } from './others.ts';

const NOW_MS = Date.UTC(2027, 0, 1);
const [OWNER, MEMBER, STRANGER, SELF] = [10, 20, 30, 40];
const FILES: [number, ReturnType<typeof writerFile>][] = [
  [OWNER, writerFile(A, created(0), metric(1, { loss: 1 }), closed(2, 3))],
  [MEMBER, writerFile(B, metric(2, { loss: 2 }))],
  [STRANGER, writerFile(C, metric(3, { loss: 3 }), closed(4, 2))],
  [SELF, notes(metric(4, { loss: 4 }))],
];

/** A log of OWNER and group 100, in which MEMBER is, read by SELF. */
class Shared {
  readonly storage = new MemoryStorage();
  readonly db = openForWriting(IN_MEMORY);
  people: People = {
    self: SELF,
    owner: () => Promise.resolve({ uid: OWNER, gid: 100 }),
    groupsOf: (uid) => Promise.resolve(uid === MEMBER ? [5, 100] : [5]),
  };

  constructor() {
    for (const [uid, { path: name, bytes }] of FILES) {
      this.storage.append(name, bytes, NOW_MS - 60_000);
      this.own(name, uid);
    }
  }

  own(name: string, uid: number): void {
    const file = this.storage.files.get(name);
    if (file !== undefined) this.storage.files.set(name, { ...file, uid });
  }

  /** A process that is told so, or nothing: what is to be seen after a pass as it makes it by itself. */
  async sync(trust?: TrustLevel, thorough?: boolean): Promise<Outcome> {
    const clock = { now: () => NOW_MS };
    const projector = new Projector(this.db, LEDGER, this.storage, clock, { trust, people: this.people });
    await projector.pass(thorough === undefined ? {} : { thorough });
    return new Outcome(this.db, projector);
  }

  get losses(): unknown[] {
    return this.db.prepare('SELECT loss FROM run_metrics ORDER BY loss').pluck().all();
  }

  get untrusted(): unknown[] {
    return this.db.prepare("SELECT path FROM _files WHERE state = 'untrusted' ORDER BY path").pluck().all();
  }
}

describe('whose files are read', () => {
  test.each<[TrustLevel, number[]]>([
    ['owner', [1, 4]],
    ['group', [1, 2, 4]],
    ['all', [1, 2, 3, 4]],
  ])('%s', async (level, losses) => {
    const shared = new Shared();
    await shared.sync(level);
    expect(shared.losses).toEqual(losses);
    expect(shared.untrusted).toHaveLength(4 - losses.length);
  });

  test('everyone’s if nothing is said, and root’s always', async () => {
    const shared = new Shared();
    await shared.sync();
    expect(shared.losses).toEqual([1, 2, 3, 4]);
    const strict = new Shared();
    strict.own(FILES[2]?.[1].path ?? '', 0);
    await strict.sync('owner');
    expect(strict.losses).toEqual([1, 3, 4]);
  });

  test('it is kept for the next ones, and a wider word reads what was left out', async () => {
    const shared = new Shared();
    await shared.sync('owner');
    shared.storage.append(
      FILES[1]?.[1].path ?? '',
      Buffer.from(`${text(metric(5, { seq: 3, loss: 5 }))}\n`),
      NOW_MS,
    );
    await shared.sync();
    expect(shared.losses).toEqual([1, 4]);
    await shared.sync('group');
    expect(shared.losses).toEqual([1, 2, 4, 5]);
    await shared.sync('all');
    expect(shared.losses).toEqual([1, 2, 3, 4, 5]);
    expect(shared.untrusted).toEqual([]);
    const complete = shared.db
      .prepare("SELECT path FROM _files WHERE state = 'complete' ORDER BY path")
      .pluck();
    expect(complete.all()).toEqual([FILES[0]?.[1].path, FILES[2]?.[1].path]);
  });

  test('a narrower one keeps the rows that there are, and reads no more of those files', async () => {
    const shared = new Shared();
    await shared.sync('all');
    await shared.sync('owner');
    shared.storage.append(
      FILES[1]?.[1].path ?? '',
      Buffer.from(`${text(metric(5, { seq: 3, loss: 5 }))}\n`),
      NOW_MS,
    );
    const outcome = await shared.sync(undefined, true);
    expect(shared.losses).toEqual([1, 2, 3, 4]);
    outcome.expectFinding(
      {
        kind: 'untrusted', where: FILES[1]?.[1].path ?? '', severity: 'note', owner: `uid ${MEMBER}`,
        what: `not read: it belongs to uid ${MEMBER}; its 1 events from before stay in the tables until a rebuild`,
      },
      { kind: 'untrusted', where: FILES[2]?.[1].path ?? '', owner: `uid ${STRANGER}` },
    ); // prettier-ignore
    await shared.sync('all');
    expect(shared.losses).toEqual([1, 2, 3, 4, 5]);
  });

  test('who gets another owner is read, or no longer', async () => {
    const shared = new Shared();
    await shared.sync('owner');
    shared.own(FILES[2]?.[1].path ?? '', OWNER);
    await shared.sync(undefined, true);
    expect(shared.losses).toEqual([1, 3, 4]);
  });

  test('who may be a member is not read while nobody says so, and is when they answer', async () => {
    const shared = new Shared();
    const { groupsOf } = shared.people;
    shared.people = { ...shared.people, groupsOf: () => Promise.reject(new Error('no answer')) };
    (await shared.sync('group')).expectFinding({
      kind: 'untrusted',
      what: `not read: it belongs to uid ${MEMBER}, whose groups cannot be had`,
    });
    expect(shared.losses).toEqual([1, 4]);
    shared.people = { ...shared.people, groupsOf };
    await shared.sync(undefined, true);
    expect(shared.losses).toEqual([1, 2, 4]);
  });

  test('a copy that a stranger makes of a writer’s file displaces nothing', async () => {
    const shared = new Shared();
    shared.storage.append('events/0/a.ndjson', Buffer.from(`${text(header(A))}\n`), NOW_MS);
    shared.own('events/0/a.ndjson', STRANGER);
    (await shared.sync('owner')).expectFile('events/0/a.ndjson', { state: 'untrusted', writer: null });
    expect(shared.losses).toEqual([1, 4]);
  });
});

const why = whyNoOthers();
const asOthers = why === undefined ? '' : ` (skipped: ${why})`;

describe.skipIf(why !== undefined)(`files of other users of this machine${asOthers}`, () => {
  /** A log of root’s with a file of daemon’s, one of nobody’s and one of root’s. */
  async function ofThree(): Promise<Home> {
    const [mine, daemons, nobodys] = [FILES[0]?.[1], FILES[1]?.[1], FILES[2]?.[1]];
    if (mine === undefined || daemons === undefined || nobodys === undefined) throw new Error('no files');
    const home = await Home.of(mine, daemons, nobodys);
    fs.chownSync(home.ledger.path(daemons.path), DAEMON.uid, DAEMON.gid);
    fs.chownSync(home.ledger.path(nobodys.path), NOBODY.uid, NOBODY.gid);
    fs.chownSync(home.ledger.root, 0, DAEMON.gid);
    return home;
  }

  test('sync --trust, verify and a rebuild keep to it; status and doctor name the owners', async () => {
    const home = await ofThree();
    const args = ['--ledger', home.ledger.root, '--db', home.file];
    const run = (...command: string[]): Promise<Ran> => new Desk().run([...command, ...args]);
    expect((await run('sync', '--trust', 'group')).stdout).toBe('3 new events from 3 files\n');
    const status = (await run('status')).stdout;
    expect(status).toContain('owners     root 1 file, daemon 1 file, nobody 1 file\n');
    expect(status).toContain('trust      group; 1 file of others not read\n');
    const doctor = await run('doctor');
    expect(doctor.code).toBe(0);
    expect(doctor.stdout).toContain(
      `- untrusted: ${FILES[2]?.[1].path} (of nobody)\n    not read: it belongs to nobody\n`,
    );
    // the headers of these files say that ada wrote them
    expect(doctor.stdout).toMatch(/owner_differs: .*\n.*the file belongs to daemon\n/);
    expect((await run('verify')).code).toBe(0);
    expect((await run('sync', '--rebuild')).code).toBe(0);
    expect(home.count('run_metrics')).toBe(2);

    expect((await run('sync', '--trust', 'owner')).code).toBe(0);
    expect(home.count('run_metrics')).toBe(2);
    const refused = await run('sync', '--rebuild');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('(not trusted, 1 events)') });
    expect((await run('verify')).stdout).toContain('is not trusted');
    expect((await run('sync', '--rebuild', '--lose-missing')).code).toBe(0);
    expect(home.count('run_metrics')).toBe(1);
    expect((await run('sync', '--trust', 'all', '--rebuild')).code).toBe(0);
    expect(home.count('run_metrics')).toBe(3);
    expect(home.look((db) => ledgerStatus(db, 0).trust)).toBe('all');
  });

  test('a file with two names is read, and said', async () => {
    const home = await ofThree();
    const [, file] = FILES[0] ?? [];
    fs.linkSync(home.ledger.path(file?.path ?? ''), home.ledger.path('other-name'));
    await home.sync();
    expect(home.count('run_metrics')).toBe(3);
    const found = home.look((db) => [...findings(db, [])]).filter(({ kind }) => kind === 'hard_link');
    expect(found).toMatchObject([{ where: file?.path, what: expect.stringContaining('2 names') }]);
  });

  test('whatever a stranger puts there, everything else is read, and it is reported', async () => {
    const home = await ofThree();
    const folder = home.ledger.path('events/wild');
    fs.mkdirSync(folder);
    fs.chownSync(folder, NOBODY.uid, NOBODY.gid);
    const pose = [
      'mkfifo fifo.ndjson',
      'ln -s /etc/shadow link.ndjson',
      'ln -s / root',
      'truncate -s 1T giant.ndjson',
      `printf 'no json\\n' > "$(printf 'a\\nb\\033[31m').ndjson"`,
      `mkdir "$(printf 'new\\nline')"`,
      'python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\\"s.ndjson\\")"',
    ].join(' && ');
    expect(runAs(NOBODY, ['sh', '-c', pose], { cwd: folder })).toMatchObject({ status: 0, stderr: '' });
    execFileSync('mknod', [path.join(folder, 'device.ndjson'), 'c', '1', '5']);
    const args = ['--ledger', home.ledger.root, '--db', home.file];
    const doctor = await new Desk().run(['doctor', ...args]);
    expect(doctor.code).toBe(3);
    expect(home.count('run_metrics')).toBe(3);
    for (const said of [
      'events/wild/fifo.ndjson\n    not read: FIFO',
      'events/wild/link.ndjson\n    not read: symbolic link',
      'events/wild/root\n    not read: symbolic link',
      'events/wild/s.ndjson\n    not read: socket',
      'events/wild/device.ndjson\n    not read: device',
      'waiting: events/wild/giant.ndjson, byte 0 (of nobody)',
      String.raw`rejected: events/wild/a\nb\x1b[31m.ndjson, byte 0 (of nobody)`,
      String.raw`events/wild/new\nline` + '\n    not read: directory',
    ]) expect(doctor.stdout).toContain(said); // prettier-ignore
    for (const command of [
      ['status'],
      ['runs'],
      ['verify'],
      ['errors'],
      ['sync', '--thorough'],
      ['sync', '--rebuild'],
    ]) {
      const { stdout, stderr } = await new Desk().run([...command, ...args]);
      expect(stdout + stderr).not.toContain('\u001b');
      expect(stdout + stderr).not.toMatch(/^(?:b|line)/m);
    }
    expect(home.count('run_metrics')).toBe(3);
  });

  test('somebody else’s snapshot is not started from, the log owner’s is', async () => {
    const home = await ofThree();
    await home.sync();
    publicFolder(home.ledger.root);
    const args = ['--ledger', home.ledger.root];
    await runCliProcess(['snapshot', ...args, '--db', home.file]);
    const start = (): string => {
      const folder = tempDir();
      fs.chownSync(folder, DAEMON.uid, DAEMON.gid);
      return runAs(DAEMON, [process.execPath, CLI, 'status', ...args, '--db', path.join(folder, 'x.db')])
        .stderr;
    };
    expect(start()).toContain('going on from');
    fs.chownSync(home.ledger.path('snapshot.db'), NOBODY.uid, NOBODY.gid);
    expect(start()).toContain(`is not used: it belongs to uid ${NOBODY.uid}, who is neither`);
  });
});
