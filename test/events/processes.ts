// Real processes: a small script that imports the compiled library, and what became of it.
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { createLedger } from '../../src/events/ledger.ts';
import { builtUrl } from '../helpers/built.ts';
import type { ReadLines } from './read-lines.ts';
import { tempDir } from './temp-dir.ts';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Script {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves with the nth line of stdout, from 0; rejects if the process ends before. */
  line(nth: number): Promise<string>;
}

/** Variables of a cluster around these tests must not decide what they see. */
const NOISE = /^(?:SLURM_|OMPI_|PMIX_|RUNFOLD_|TORCHELASTIC_)|^(?:RANK|WORLD_SIZE|LOCAL_WORLD_SIZE|TMPDIR)$/;

export function cleanEnv(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !NOISE.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

/** `body` is a module with `RunLogger`, `EventWriter`, `openWriter`, `createLedger` at hand; cwd and TMPDIR are `dir`. */
export function startScript(dir: string, body: string, env: Readonly<Record<string, string>> = {}): Script {
  const file = path.join(dir, `script-${Math.random().toString(36).slice(2)}.mjs`);
  const imports = [
    `import { RunLogger } from '${builtUrl('logger.js')}';`,
    `import { openWriter } from '${builtUrl('events/writers.js')}';`,
    `import { createLedger } from '${builtUrl('events/ledger.js')}';`,
  ];
  fs.writeFileSync(file, `${imports.join('\n')}\n${body}`);
  const child = spawn(process.execPath, [file], { cwd: dir, env: cleanEnv({ TMPDIR: dir, ...env }) });
  onTestFinished(() => void child.kill('SIGKILL'));
  return watch(child);
}

export async function runScript(
  dir: string,
  body: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return await startScript(dir, body, env).ended;
}

function watch(child: ChildProcess): Script {
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  let hasEnded = false;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const look of waiting) look();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      hasEnded = true;
      resolve({ code, signal, stdout, stderr });
      for (const look of waiting) look();
    });
  });

  async function line(nth: number): Promise<string> {
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const lines = stdout.split('\n');
        if (lines.length > nth + 1) resolve(lines[nth] ?? '');
        else if (hasEnded) reject(new Error(`ended before line ${nth}: ${stdout}\n${stderr}`));
        else return;
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });
  }
  return { child, ended, line };
}

export function withLedger(): { dir: string; ledger: string } {
  const dir = tempDir();
  return { dir, ledger: createLedger(path.join(dir, 'ledger')).path };
}

/** The types after the header, with status, exit code and reason where there are any. */
export function storyOf(read: ReadLines): string[] {
  expect(read.rejected).toEqual([]);
  return read.events.slice(1).map((event) => {
    if (event.type !== 'status_changed') return event.type;
    return [event.status, event.exit_code, event.reason].filter((part) => part !== undefined).join(' ');
  });
}
