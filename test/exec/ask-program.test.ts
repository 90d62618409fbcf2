// Programs are asked by a shell, which looks at no folder of ours.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { askProgram, isNotFound } from '../../src/exec/ask-program.ts';
import { tempDir } from '../events/temp-dir.ts';

async function ask(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return await new Promise((resolve, reject) => {
    askProgram(program, args, { env }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}

test('what is asked runs with the environment that it is given, but in no folder that may hang', async () => {
  const link = path.join(tempDir(), 'link');
  fs.symlinkSync('/', link);
  const env = { ...process.env, PWD: link, TZ: 'UTC' };
  const lines = (await ask('env', [], env)).split('\n');
  expect(lines).toContain('TZ=UTC');
  // a shell that has looked, and found that it is where it is, keeps its name
  expect(lines).not.toContain(`PWD=${link}`);
  expect(await ask('readlink', ['/proc/self/cwd'], env)).toBe('/\n');
});

test('one that is not there is not found', async () => {
  await expect(ask('no-such-program', [], process.env)).rejects.toSatisfy(isNotFound);
});
