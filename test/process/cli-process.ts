// The compiled command line, and scripts against the compiled library, as real processes.
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { builtDir, builtUrl } from '../helpers/built.ts';
import { until } from './until.ts';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  hasEnded = false;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    // a process that is killed does not read on
    child.stdin?.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.hasEnded = true;
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** SIGKILL, and the kernel has taken its locks away. */
  async destroy(): Promise<Ended> {
    this.kill('SIGKILL');
    return await this.ended;
  }

  /** Until stderr has it; rejects if the process ends before. */
  async says(text: string | RegExp): Promise<void> {
    const isSaid = (): boolean =>
      typeof text === 'string' ? this.stderr.includes(text) : text.test(this.stderr);
    await until(`stderr says ${String(text)}: ${this.stderr}`, () => isSaid() || this.hasEnded);
    if (!isSaid()) throw new Error(`ended without saying ${String(text)}: ${this.stdout}\n${this.stderr}`);
  }
}

/** Variables of a cluster around these tests must not decide what they see. */
const NOISE = /^(?:SLURM_|OMPI_|PMIX_|RUNFOLD_|TORCHELASTIC_)|^(?:RANK|WORLD_SIZE|LOCAL_WORLD_SIZE)$/;

export function cleanEnv(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !NOISE.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

export interface StartOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
}

export function startCli(args: readonly string[], options: StartOptions = {}): Started {
  return start([path.join(builtDir(), 'cli/main.js'), ...args], options);
}

export async function runCliProcess(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  const started = startCli(args, options);
  started.child.stdin?.end();
  return await started.ended;
}

/** Writes a module into `dir` that a process can run; `library` names compiled modules and what it takes of them. */
export function writeScript(dir: string, library: Readonly<Record<string, string>>, body: string): string {
  const file = path.join(dir, `script-${process.hrtime.bigint()}.mjs`);
  const imports = Object.entries(library).map(
    ([module, names]) => `import { ${names} } from '${builtUrl(module)}';`,
  );
  fs.writeFileSync(file, `${imports.join('\n')}\n${body}`);
  return file;
}

export function startScript(file: string, args: readonly string[] = [], options: StartOptions = {}): Started {
  return start([file, ...args], options);
}

function start(args: readonly string[], { cwd, env }: StartOptions): Started {
  const child = spawn(process.execPath, args, { cwd, env: cleanEnv(env) });
  const started = new Started(child);
  // waited for, so that it makes no file in a directory that is being removed
  onTestFinished(async () => {
    await started.destroy();
  });
  return started;
}
