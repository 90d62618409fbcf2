// The writers that the cases are run with, each as a process of its own.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanEnv, type Ended } from '../process/cli-process.ts';
import { builtUrl } from '../helpers/built.ts';
import type { CallsCase } from './cases.ts';
import { scriptOf } from './shell-script.ts';
import { isThorough } from '../helpers/thorough.ts';

export interface Writer {
  name: string;
  /** Its name in `not_for`. */
  kind: 'typescript' | 'python' | 'shell';
  /** What is missing here to run it. */
  missing: string | undefined;
  /** Runs a case in `dir`, a directory of its own. `text` is the case as it stands in its file. */
  run(given: CallsCase, text: string, dir: string, ledger: string): Promise<Ended>;
}

const DRIVER = fileURLToPath(new URL('driver.mjs', import.meta.url));
const PYTHON_DRIVER = fileURLToPath(
  new URL('../../clients/python/tests/conformance_driver.py', import.meta.url),
);

export interface Shell {
  name: string;
  words: readonly string[];
  isMissing: boolean;
}

/** busybox is a shell by its first argument. */
export const SHELLS: readonly Shell[] = [['dash'], ['bash'], ['busybox', 'sh']].map((words) => ({
  name: words.join(' '),
  words,
  isMissing: !isThere(words[0] ?? ''),
}));

/** Bash, which is much like dash, has all cases only where there is time. */
export const MAIN_SHELLS = SHELLS.filter(({ name }) => isThorough || name !== 'bash');

export function isThere(program: string): boolean {
  return spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined;
}

export const WRITERS: readonly Writer[] = [
  {
    name: 'TypeScript',
    kind: 'typescript',
    missing: undefined,
    async run(given, text, dir, ledger) {
      return await runProcess([process.execPath, DRIVER, builtUrl('logger.js')], {
        dir,
        ledger,
        env: given.env,
        input: text,
      });
    },
  },
  ...MAIN_SHELLS.map(({ name, words, isMissing }): Writer => ({
    name,
    kind: 'shell',
    missing: isMissing ? words[0] : undefined,
    async run(given, _, dir, ledger) {
      const script = path.join(dir, path.basename(given.script ?? 'train.sh'));
      fs.writeFileSync(script, scriptOf(given));
      return await runProcess([...words, script], { dir, ledger, env: given.env });
    },
  })),
  {
    name: 'Python',
    kind: 'python',
    missing: missingOf([PYTHON_DRIVER, fs.existsSync(PYTHON_DRIVER)], ['python3', isThere('python3')]),
    async run(given, text, dir, ledger) {
      return await runProcess(['python3', PYTHON_DRIVER], { dir, ledger, env: given.env, input: text });
    },
  },
];

function missingOf(...needed: readonly (readonly [string, boolean])[]): string | undefined {
  return needed.find(([, isHere]) => !isHere)?.[0];
}

export interface ProcessOptions {
  dir: string;
  ledger?: string | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  input?: string | undefined;
}

/** The program without variables of a cluster around it, its temporary files in `dir`. */
export async function runProcess(
  [program = '', ...args]: readonly string[],
  { dir, ledger, env, input }: ProcessOptions,
): Promise<Ended> {
  const place = ledger === undefined ? {} : { RUNFOLD_DIR: ledger };
  const child = spawn(program, args, { cwd: dir, env: cleanEnv({ TMPDIR: dir, ...place, ...env }) });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (some: string) => (stdout += some));
  child.stderr.setEncoding('utf8').on('data', (some: string) => (stderr += some));
  child.stdin.end(input);
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
