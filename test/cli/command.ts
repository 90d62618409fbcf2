// A command run in this process, with streams that can be looked at.
import * as fs from 'node:fs';
import path from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/program.ts';
import { parseLine } from '../../src/events/parse.ts';
import type { Event } from '../../src/events/event.ts';
import type { AskStorage } from '../../src/projector/ask-storage.ts';
import { tempDir } from '../events/temp-dir.ts';
import { eventFiles } from '../events/read-lines.ts';

export class Page extends Writable {
  text = '';
  isTTY = false;
  columns = 0;

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** What stdin has, as whole chunks or bit by bit. */
  stdin?: string | Buffer | Readable;
  env?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  clock?: Clock;
  isTTY?: boolean;
  askStorage?: AskStorage;
  /** stdout is a terminal of this width, without colours. */
  columns?: number;
}

/** A directory with or without a log in it, and commands that run there. */
export class Desk {
  readonly cwd: string;
  readonly ledger: string;
  readonly db: string;

  /** By default in a directory that goes with the test. */
  constructor(cwd: string = tempDir()) {
    this.cwd = cwd;
    this.ledger = path.join(cwd, '.runfold');
    this.db = path.join(cwd, 'runs.db');
  }

  static async withLog(cwd?: string): Promise<Desk> {
    const desk = new Desk(cwd);
    await desk.run(['init']);
    return desk;
  }

  /** RUNFOLD_DB names the database, so that none is made where those of users are. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const [stdout, stderr] = [new Page(), new Page()];
    stderr.isTTY = options.isTTY ?? false;
    const { columns } = options;
    if (columns !== undefined) Object.assign(stdout, { isTTY: true, columns });
    const colours = columns === undefined ? {} : { NO_COLOR: '1' };
    const io: CliIo = {
      stdin: stdinOf(options.stdin ?? ''),
      stdout,
      stderr,
      env: { RUNFOLD_DB: this.db, TMPDIR: this.cwd, ...colours, ...options.env },
      cwd: this.cwd,
      clock: options.clock ?? systemClock,
      signal: options.signal ?? new AbortController().signal,
      abandon: () => undefined,
      ...(options.askStorage && { askStorage: options.askStorage }),
    };
    const code = await runCli(args, io);
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  /** All lines of all files of the log, parsed; a line that is not valid throws. */
  events(): Event[] {
    return eventFiles(this.ledger).flatMap((file) => {
      const lines = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
      return lines.map((line) => {
        const parsed = parseLine(Buffer.from(line));
        if (parsed.kind !== 'event') throw new Error(`${JSON.stringify(parsed)}: ${line}`);
        return parsed.event;
      });
    });
  }

  /** Those that are not a header or an end. */
  logged(): Exclude<Event, { type: 'writer_opened' | 'writer_closed' }>[] {
    return this.events().filter((event) => event.type !== 'writer_opened' && event.type !== 'writer_closed');
  }
}

function stdinOf(given: string | Buffer | Readable): Readable {
  if (given instanceof Readable) return given;
  const stdin = new PassThrough();
  stdin.end(given);
  return stdin;
}

/** Objects as lines. */
export function ndjson(...values: unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}
