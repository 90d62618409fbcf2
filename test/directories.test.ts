import * as fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { makeDirectories } from '../src/directories.ts';
import { tempDir } from './events/temp-dir.ts';
import { builtUrl } from './helpers/built.ts';

test('makes what is missing, with the mode, and is content with what is there', () => {
  const root = tempDir();
  makeDirectories(path.join(root, 'a/b/c'), 0o700);
  makeDirectories(path.join(root, 'a/b/c'), 0o700);
  expect(fs.statSync(path.join(root, 'a/b')).mode & 0o777).toBe(0o700);
});

test('a file in the way is an error', () => {
  const root = tempDir();
  fs.writeFileSync(path.join(root, 'file'), '');
  expect(() => makeDirectories(path.join(root, 'file'))).toThrow('EEXIST');
  expect(() => makeDirectories(path.join(root, 'file/a/b'))).toThrow('ENOTDIR');
});

// in a process of its own: it would never come back, and no time limit ends what does not yield
test.skipIf(process.platform !== 'linux')(
  'a parent where nothing can be made is an error, not an endless loop',
  () => {
    const module = builtUrl('directories.js');
    const script = `import { makeDirectories } from ${JSON.stringify(module)}; makeDirectories('/proc/none/a/b');`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(ran.signal).toBeNull();
    expect(ran.stderr).toContain("ENOENT: no such file or directory, mkdir '/proc/none'");
  },
);
