// A log that a group shares: made for it, written by each of its members whatever their umask, checked by doctor.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { appendToDayFile } from '../../src/events/day-file.ts';
import { createLedger } from '../../src/events/ledger.ts';
import { Desk, type Ran } from '../cli/command.ts';
import { tempDir } from '../events/temp-dir.ts';
import { eventFiles } from '../events/read-lines.ts';
import { builtUrl } from '../helpers/built.ts';
import { ROOT } from '../helpers/documents.ts';
import { PYTHON_CLIENT } from '../helpers/python.ts';
import { CLI, DAEMON, GROUP, modeOf, NOBODY, publicFolder, runAs, whyNoOthers } from './others.ts';

const why = whyNoOthers();

function run(...args: string[]): Promise<Ran> {
  return new Desk().run(args);
}

/** A log of daemon’s, shared with GROUP, in a folder that everybody may enter. */
async function sharedLog(umask = '027'): Promise<string> {
  const folder = publicFolder(tempDir());
  fs.chownSync(folder, DAEMON.uid, DAEMON.gid);
  const log = path.join(folder, 'log');
  const made = inShell(
    DAEMON,
    `umask ${umask}; exec '${process.execPath}' '${CLI}' init --shared ${GROUP} '${log}'`,
  );
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toContain(`shared with the group ${GROUP}: its members can log into ${log}`);
  return await Promise.resolve(log);
}

function inShell(who: typeof DAEMON, script: string, env: Readonly<Record<string, string>> = {}) {
  return runAs(who, ['sh', '-c', script], { env });
}

function foldersOf(log: string): string[] {
  return fs.readdirSync(path.join(log, 'events')).map((name) => path.join(log, 'events', name));
}

describe.skipIf(why !== undefined)(`init --shared${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  test.each([
    ['027', ['2750', '640', '2770']],
    ['077', ['2750', '640', '2770']],
    ['022', ['2755', '644', '2775']],
  ])('under umask %s: what others see is up to it, what the group may is not', async (umask, modes) => {
    const log = await sharedLog(umask);
    const places = [log, path.join(log, 'ledger.json'), path.join(log, 'events')];
    expect(places.map(modeOf)).toEqual(modes);
    expect(places.map((place) => fs.statSync(place).gid)).toEqual([NOBODY.gid, NOBODY.gid, NOBODY.gid]);
  });

  test('a group that there is not, or that one is not in, is refused before anything is made', async () => {
    const folder = publicFolder(tempDir());
    const log = path.join(folder, 'log');
    const none = await run('init', '--shared', 'no-such-group', log);
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no group "no-such-group"'),
    });
    const foreign = runAs(DAEMON, [process.execPath, CLI, 'init', '--shared', 'root', log]);
    expect(foreign).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('you are not in the group root'),
    });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('a log that there is gets the modes, as far as it is one’s own; the rest is named with its owner', async () => {
    const log = publicFolder(tempDir());
    createLedger(log);
    const day = path.join(log, 'events/2026-11-23');
    fs.mkdirSync(day, { mode: 0o700 });
    for (const name of ['a', 'b']) fs.writeFileSync(path.join(day, `${name}.ndjson`), '', { mode: 0o600 });
    fs.mkdirSync(path.join(log, 'events/2026-11-24'), { mode: 0o755 });
    fs.symlinkSync('/etc/hostname', path.join(day, 'link.ndjson'));
    const before = modeOf('/etc/hostname');
    for (const place of [
      log,
      path.join(log, 'ledger.json'),
      path.join(log, 'events'),
      day,
      path.join(day, 'a.ndjson'),
    ]) {
      fs.chownSync(place, DAEMON.uid, DAEMON.gid);
    }
    const again = (): ReturnType<typeof runAs> =>
      runAs(DAEMON, [process.execPath, CLI, 'init', '--shared', GROUP, log]);
    expect(again()).toMatchObject({
      status: 0,
      stderr: `2 files and folders of root stayed as they were;\n  root types: runfold init --shared ${GROUP} ${log}\n`,
    });
    expect([day, path.join(day, 'a.ndjson'), path.join(day, 'b.ndjson')].map(modeOf)).toEqual([
      '2770',
      '640',
      '600',
    ]);
    expect(await run('init', '--shared', GROUP, log)).toMatchObject({ code: 0, stderr: '' });
    expect(modeOf(path.join(day, 'b.ndjson'))).toBe('640');
    expect(modeOf(path.join(log, 'events/2026-11-24'))).toBe('2775');
    expect(modeOf('/etc/hostname')).toBe(before);
    expect(again()).toMatchObject({ stderr: '', stdout: expect.stringContaining('(0 modes set)') });
  });
});

/** Each writes at least one event of a run into the log that RUNFOLD_DIR names. */
const WRITERS: Record<string, string> = {
  'RunLogger': `'${process.execPath}' --input-type=module -e "
    import { RunLogger } from '${builtUrl('logger.js')}';
    const run = RunLogger.create({ dataset: 'd', method: 'ts' }); run.log({ loss: 1 }); await run.close();"`,
  'emit': `'${process.execPath}' '${CLI}' emit run-created --dataset d --method emit`,
  'exec': `'${process.execPath}' '${CLI}' exec --dataset d --method exec -- true`,
  'Python': `PYTHONPATH='${PYTHON_CLIENT}' python3 -c "
import runfold
run = runfold.init(dataset='d', method='py')
run.log({'loss': 1})
run.finish()"`,
  'the shell': `. '${path.join(ROOT, 'clients/shell/runfold.sh')}'
    runfold_open --dataset d --method sh && runfold_metric --epoch 1 --loss 1 && runfold_close`,
}; // prettier-ignore

describe.skipIf(why !== undefined)('what a member makes, under a umask that lets nobody in', () => {
  test.each(Object.entries(WRITERS))(
    '%s: the others write into the folder and read the file',
    async (_, script) => {
      const log = await sharedLog();
      const env = { RUNFOLD_DIR: log, TMPDIR: '/nonexistent' };
      expect(inShell(DAEMON, `umask 077; ${script}`, env)).toMatchObject({ status: 0 });
      const [file] = eventFiles(log);
      expect(foldersOf(log).map(modeOf)).toEqual(['2770']);
      expect(file === undefined ? '' : modeOf(file)).toBe('640');
      // another one, in the same folder
      expect(inShell(NOBODY, `umask 077; ${script}`, env)).toMatchObject({ status: 0 });
      const files = eventFiles(log);
      expect(new Set(files.map((each) => fs.statSync(each).uid))).toEqual(new Set([DAEMON.uid, NOBODY.uid]));
      for (const each of files) {
        expect(runAs(NOBODY, ['test', '-r', each]).status).toBe(0);
        expect(runAs(DAEMON, ['test', '-r', each]).status).toBe(0);
      }
    },
  );

  test('what SLURM said, too; and a log that nobody shares is left to the umask', async () => {
    const before = process.umask(0o077);
    onTestFinished(() => void process.umask(before));
    const own = path.join(tempDir(), 'own');
    createLedger(own);
    const shared = await sharedLog();
    for (const [log, modes] of [[own, ['700', '600']], [shared, ['2770', '640']]] as const) {
      const file = { ledger: log, purpose: 'slurm', host: 'h', user: 'u', nowMs: Date.UTC(2026, 10, 23) };
      await appendToDayFile(file, [{ type: 'x' }]);
      expect([...foldersOf(log), ...eventFiles(log)].map(modeOf)).toEqual(modes);
    } // prettier-ignore
  });
});

/** What is wrong with a shared log, what is said, and who may mend it. */
const FAULTS: Record<string, { fault: (log: string, day: string) => void; where: string; what: RegExp }> = {
  'strangers can write a folder': {
    fault: (_, day) => fs.chmodSync(day, 0o2777), where: 'events/2026-11-23', what: /everybody on this machine can write/,
  },
  'strangers can write the log': {
    fault: (log) => fs.chmodSync(log, 0o2757), where: '.', what: /everybody on this machine can write/,
  },
  'a folder of one member alone': {
    fault: (_, day) => fs.chmodSync(day, 0o2750), where: 'events/2026-11-23', what: /others of its group cannot make files/,
  },
  'a folder without setgid': {
    fault: (_, day) => fs.chmodSync(day, 0o770), where: 'events/2026-11-23', what: /it is not setgid/,
  },
  'a folder of another group': {
    fault: (_, day) => fs.chownSync(day, NOBODY.uid, DAEMON.gid), where: 'events/2026-11-23', what: /of another group than events/,
  },
  'a sentinel that the group cannot read': {
    fault: (log) => fs.chmodSync(path.join(log, 'ledger.json'), 0o600), where: 'ledger.json', what: /cannot read it, and so cannot log/,
  },
  'a log that the group cannot enter': {
    fault: (log) => fs.chmodSync(log, 0o2700), where: '.', what: /its group cannot enter it/,
  },
  'a log whose files any member can replace': {
    fault: (log) => fs.chmodSync(log, 0o2770), where: '.', what: /its group can write in it, and so replace ledger.json/,
  },
  'a sentinel that any member can write': {
    fault: (log) => fs.chmodSync(path.join(log, 'ledger.json'), 0o660), where: 'ledger.json', what: /others can write it/,
  },
}; // prettier-ignore

describe.skipIf(why !== undefined)('doctor', () => {
  test.each(Object.entries(FAULTS))(
    '%s: said, with a command that mends it',
    async (_, { fault, where, what }) => {
      const log = await sharedLog();
      const day = path.join(log, 'events/2026-11-23');
      const made = runAs(NOBODY, ['sh', '-c', `umask 007; mkdir '${day}'; echo >'${day}/x.ndjson'`]);
      expect(made.status).toBe(0);
      const args = ['--ledger', log, '--db', path.join(tempDir(), 'x.db')];
      const doctor = async (): Promise<Record<string, string>[]> => {
        const { stdout } = await run('doctor', '--json', ...args);
        const found = stdout.split('\n').filter((line) => line !== '');
        return found
          .map((line) => JSON.parse(line) as Record<string, string>)
          .filter(({ kind }) => kind === 'permissions');
      };
      expect(await doctor()).toEqual([]);
      fault(log, day);
      const [found, ...more] = await doctor();
      expect(more).toEqual([]);
      expect(found).toMatchObject({ where, what: expect.stringMatching(what), severity: 'problem' });
      const [, owner = '', command = ''] = /^(\w+) types, or root: (.*)$/.exec(found?.['advice'] ?? '') ?? [];
      expect([DAEMON.name, NOBODY.name]).toContain(owner);
      expect(spawnSync('sh', ['-c', command]).status).toBe(0);
      expect(await doctor()).toEqual([]);
    },
  );

  test('what one cannot read oneself is said with its owner and the mend, and the rest is read', async () => {
    const log = await sharedLog();
    const folder = path.join(log, 'events/closed');
    const script = `umask 007; mkdir '${folder}' '${folder}2'; echo >'${folder}/x.ndjson'; echo >'${folder}2/y.ndjson'
      chmod 700 '${folder}'; chmod 600 '${folder}2/y.ndjson'`;
    expect(runAs(NOBODY, ['sh', '-c', script]).status).toBe(0);
    const own = tempDir();
    fs.chownSync(own, DAEMON.uid, DAEMON.gid);
    const doctor = runAs(DAEMON, [
      process.execPath, CLI, 'doctor', '--ledger', log, '--db', path.join(own, 'x.db'),
    ]); // prettier-ignore
    expect(doctor.status).toBe(3);
    expect(doctor.stdout).toContain(
      `! permissions: events/closed (of nobody)\n    you cannot list it: what its files hold is not read (mode 2700, of nobody)\n    nobody types, or root: chmod g+rx ${folder}\n`,
    );
    expect(doctor.stdout).toContain(
      `you cannot read it (mode 600, of nobody)\n    nobody types, or root: chmod g+r ${folder}2/y.ndjson\n`,
    );
  });
});
