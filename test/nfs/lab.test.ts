// The lab leaves nothing behind, whoever does not come to end it. No NFS is needed for this.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { until } from '../process/until.ts';
import { Follower } from './follower.ts';
import { guardOf, Lab } from './lab.ts';

const made: string[] = [];

function temporaryDirectory(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'runfold-lab-'));
  made.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of made.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

/** A script that only notes what it was told, and of which lab. */
function fakeScript(parent: string): { script: string; said: () => string } {
  const script = path.join(parent, 'lab.sh');
  const log = path.join(parent, 'said');
  fs.writeFileSync(script, `#!/bin/sh\necho "$1 $(basename "$NFS_LAB_DIR")" >>'${log}'\n`, { mode: 0o755 });
  return { script, said: () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : '') };
}

const labsIn = (parent: string): string[] =>
  fs.readdirSync(parent).filter((name) => name.startsWith('runfold-nfs-'));

test('a lab that was not started, as where it is skipped, leaves no folder', () => {
  const parent = temporaryDirectory();
  const lab = new Lab(fakeScript(parent).script, parent);
  expect(new Follower(lab, 'login', '/nfs/ledger', '/tmp/f.db').said).toBe('');
  expect(labsIn(parent)).toEqual([]);
});

test('one that is stopped is down, and its folder is gone', async () => {
  const parent = temporaryDirectory();
  const { script, said } = fakeScript(parent);
  const lab = new Lab(script, parent);
  await lab.start();
  const [name] = labsIn(parent);
  await lab.stop();
  expect(said()).toBe(`up ${name}\ndown ${name}\n`);
  expect(labsIn(parent)).toEqual([]);
});

test('one whose process is killed is down too', async () => {
  const parent = temporaryDirectory();
  const { script, said } = fakeScript(parent);
  const folder = fs.mkdtempSync(path.join(parent, 'runfold-nfs-'));
  const program = `
    const [folder, ...args] = JSON.parse(process.argv[1]);
    const env = { ...process.env, NFS_LAB_DIR: folder };
    const options = { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env };
    require('node:child_process').spawn('sh', args, options).on('spawn', () => console.log('guarded'));`;
  const owner = spawn(process.execPath, ['-e', program, JSON.stringify([folder, ...guardOf(script)])]);
  await once(owner.stdout, 'data');
  expect(said()).toBe('');
  owner.kill('SIGKILL');
  await until('the folder is gone', () => !fs.existsSync(folder));
  expect(said()).toBe(`down ${path.basename(folder)}\n`);
});
