// A log of its own, and `runfold exec` in it as a real process.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { createLedger } from '../../src/events/ledger.ts';
import type { Event, EventType } from '../../src/events/event.ts';
import { eventFiles, readLines } from '../events/read-lines.ts';
import { tempDir } from '../events/temp-dir.ts';
import { builtDir } from '../helpers/built.ts';
import { cleanEnv, Started } from './cli-process.ts';

export const CLI = path.join(builtDir(), 'cli/main.js');
export const KEY = ['--dataset', 'iris', '--method', 'mlp', '--seed', '1'] as const;

type Of<T extends EventType> = Extract<Event, { type: T }>;

export class ExecHome {
  readonly dir = tempDir();
  readonly ledger = path.join(this.dir, 'log');
  readonly #env: Record<string, string> = {
    RUNFOLD_DIR: this.ledger,
    TMPDIR: path.join(this.dir, 'tmp'),
    PATH: `${path.join(this.dir, 'bin')}:${process.env['PATH'] ?? ''}`,
  };

  constructor() {
    createLedger(this.ledger);
    fs.mkdirSync(path.join(this.dir, 'tmp'));
    fs.mkdirSync(path.join(this.dir, 'bin'));
  }

  /** Puts a command on the PATH. */
  command(name: string, script: string): string {
    const file = path.join(this.dir, 'bin', name);
    fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return file;
  }

  file(name: string, text = ''): string {
    const file = path.join(this.dir, name);
    fs.writeFileSync(file, text);
    return file;
  }

  /** Of the process and all below it. */
  env(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    return cleanEnv({ ...this.#env, ...more });
  }

  /** `runfold exec <options> -- <words>`, with pipes for what is printed. */
  start(
    words: readonly string[],
    { options = KEY, env = {}, stdio = 'pipe' as StdioOptions, cwd = this.dir } = {} as StartExec,
  ): Started {
    return new Started(this.spawn(words, { options, env, stdio, cwd }));
  }

  spawn(
    words: readonly string[],
    { options = KEY, env = {}, stdio = 'pipe', cwd = this.dir }: StartExec = {},
  ): ChildProcess {
    const args = [CLI, 'exec', ...options, '--', ...words];
    const child = spawn(process.execPath, args, { cwd, env: this.env(env), stdio });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    });
    return child;
  }

  /** In a shell. */
  sh(script: string, options: StartExec = {}): Started {
    return this.start(['sh', '-c', script], options);
  }

  events(): Event[] {
    if (!fs.existsSync(path.join(this.ledger, 'events'))) return [];
    return eventFiles(this.ledger).flatMap((file) => {
      const read = readLines(fs.readFileSync(file));
      if (read.rejected.length > 0) throw new Error(read.rejected.join('\n'));
      return read.events;
    });
  }

  of<T extends EventType>(type: T): Of<T>[] {
    return this.events().filter((event): event is Of<T> => event.type === type);
  }

  /** The statuses that were said, with what belongs to them. */
  statuses(): object[] {
    return this.of('status_changed').map(({ status, exit_code, reason, source }) => ({
      status, exit_code: exit_code ?? null, reason: reason ?? null, source,
    })); // prettier-ignore
  }
}

export interface StartExec {
  options?: readonly string[];
  env?: Readonly<Record<string, string>>;
  stdio?: StdioOptions;
  /** Default: the folder of all. */
  cwd?: string;
}

export const RUNNING = { status: 'running', exit_code: null, reason: null, source: 'wrapper' };

/** The end that exec gives. */
export function ended(status: string, exit_code: number | null, reason: string | null = null): object {
  return { status, exit_code, reason, source: 'wrapper' };
}
