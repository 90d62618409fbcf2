// The writers that the cases are run with, each as a process of its own.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanEnv, type Ended } from '../process/cli-process.ts';
import { builtUrl } from '../helpers/built.ts';
import type { CallsCase } from './cases.ts';
import { scriptOf } from './shell-script.ts';

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

/** Names and arguments of the shells; busybox is one by its first argument. */
export const SHELLS: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash'], ['busybox', 'sh']];

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
  ...SHELLS.map((shell): Writer => {
    const name = shell.join(' ');
    return {
      name,
      kind: 'shell',
      missing: isThere(shell[0]) ? undefined : shell[0],
      async run(given, _, dir, ledger) {
        const script = path.join(dir, path.basename(given.script ?? 'train.sh'));
        fs.writeFileSync(script, scriptOf(given));
        return await runProcess([...shell, script], { dir, ledger, env: given.env });
      },
    };
  }),
  {
    name: 'Python',
    kind: 'python',
    missing: fs.existsSync(PYTHON_DRIVER)
      ? isThere('python3')
        ? undefined
        : 'python3'
      : 'clients/python/tests/conformance_driver.py',
    async run(given, text, dir, ledger) {
      return await runProcess(['python3', PYTHON_DRIVER], { dir, ledger, env: given.env, input: text });
    },
  },
];

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
