// Scripts that use runfold.sh, in each shell that is here.
import * as fs from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { expect } from 'vitest';
import { createLedger } from '../../src/events/ledger.ts';
import type { Event } from '../../src/events/event.ts';
import { eventFiles, readLines, type ReadLines } from '../events/read-lines.ts';
import { tempDir } from '../events/temp-dir.ts';
import { cleanEnv, Started, type Ended } from '../process/cli-process.ts';
import { quoted, RUNFOLD_SH } from './shell-script.ts';
import { runProcess } from './writers.ts';

export type Shell = readonly string[];

export interface ShellBench {
  dir: string;
  ledger: string;
  /** Runs a script that has read runfold.sh. */
  run(body: string | Buffer, env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** The same, as it goes on. */
  start(body: string, env?: Readonly<Record<string, string>>): Started;
  /** Every file of the log. */
  files(): ReadLines[];
  /** The events of the one file but the header and the end, which must be there. */
  events(): Event[];
}

const PREFACE = `. ${quoted(RUNFOLD_SH)}\n`;

export function shellBench(shell: Shell): ShellBench {
  const dir = tempDir();
  const ledger = createLedger(path.join(dir, 'log')).path;
  const write = (body: string | Buffer): string[] => {
    const script = path.join(dir, 'job.sh');
    fs.writeFileSync(script, Buffer.concat([Buffer.from(PREFACE), Buffer.from(body)]));
    return [...shell, script];
  };
  const files = (): ReadLines[] => eventFiles(ledger).map((file) => readLines(fs.readFileSync(file)));
  return {
    dir,
    ledger,
    files,
    run: async (body, env) => await runProcess(write(body), { dir, env: { RUNFOLD_DIR: ledger, ...env } }),
    start(body, env) {
      const [program = '', ...args] = write(body);
      return new Started(
        spawn(program, args, { cwd: dir, env: cleanEnv({ TMPDIR: dir, RUNFOLD_DIR: ledger, ...env }) }),
      );
    },
    events() {
      const [file, ...others] = files();
      expect(others).toEqual([]);
      expect(file?.rejected).toEqual([]);
      const events = file?.events ?? [];
      expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
      expect(events[0]).toMatchObject({ type: 'writer_opened', client: { name: 'runfold-sh' } });
      expect(events.at(-1)).toMatchObject({ type: 'writer_closed', events: events.length - 1 });
      return events.slice(1, -1);
    },
  };
}

/** The types, with status, exit code and reason where there are any. */
export function storyOf(events: readonly Event[]): string[] {
  return events.map((event) => {
    if (event.type !== 'status_changed') return event.type;
    return [event.status, event.exit_code, event.reason].filter((part) => part !== undefined).join(' ');
  });
}
