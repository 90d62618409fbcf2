// Writers as docs/events.md has them: whole lines, a header first, a torn line healed, a new file for each process.
import { eventFilePath } from '../../src/events/layout.ts';
import { encodeTime } from 'ulid';
import { header, type Fields } from '../helpers/lines.ts';
import type { Coverage } from './coverage.ts';
import { EventFile } from './event-file.ts';
import type { Server } from './server.ts';

const HAND_MADE = ['events/2026-11-23/notes.ndjson', 'events/manual/tags.ndjson'] as const;
/** Jobs by number; the last two are people with an editor or `echo`. */
export const JOBS = 5;
const WRITER_JOBS = JOBS - HAND_MADE.length;

interface Process {
  file: EventFile;
  writer: string | undefined;
  seq: number;
  /** The end of a line that was not written whole. */
  unwritten: string | undefined;
}

export interface JobsOptions {
  server: Server;
  coverage: Coverage;
  pageBytes: number;
  now: () => number;
  /** By job, how far the clock of its node is off. */
  skewsMs: readonly number[];
  /** Whether files have the time of their writers rather than that of the server. */
  writersSetTimes: boolean;
}

export class Jobs {
  /** All files ever, by path. */
  readonly files = new Map<string, EventFile>();
  readonly #options: JobsOptions;
  readonly #running = new Map<number, Process>();
  readonly #died = new Set<number>();
  #starts = 0;

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  #clock(job: number): number {
    return this.#options.now() + (this.#options.skewsMs[job] ?? 0);
  }

  #mtime(job: number): number {
    return this.#options.writersSetTimes ? this.#clock(job) : this.#options.now();
  }

  #process(job: number): Process {
    const running = this.#running.get(job);
    if (running !== undefined) return running;
    const byHand = HAND_MADE[job - WRITER_JOBS];
    return byHand === undefined ? this.#start(job) : this.#open(job, byHand, undefined);
  }

  #start(job: number, writer = this.#newWriter(job), origin = `slurm${job}`): Process {
    const { coverage, skewsMs } = this.#options;
    const isRequeued = this.#died.delete(job);
    if (isRequeued) coverage.hit('requeue');
    const skew = skewsMs[job] ?? 0;
    if (skew !== 0) coverage.hit(skew > 0 ? 'clock of a writer ahead' : 'clock of a writer behind');
    const name = isRequeued ? `${origin}r1` : origin;
    const process = this.#open(job, eventFilePath(writer, name), writer);
    const ts = new Date(this.#clock(job)).toISOString();
    process.file.write(`${JSON.stringify(header(writer, { ts, origin: name } satisfies Fields))}\n`);
    process.seq = 1;
    return process;
  }

  #newWriter(job: number): string {
    this.#starts += 1;
    return encodeTime(this.#clock(job), 10) + String(this.#starts).padStart(16, '0');
  }

  #open(job: number, path: string, writer: string | undefined): Process {
    const { server, pageBytes, now } = this.#options;
    const file = this.files.get(path) ?? new EventFile(path, server, pageBytes);
    if (!this.files.has(path)) server.create(path, now());
    this.files.set(path, file);
    const process: Process = { file, writer, seq: 0, unwritten: undefined };
    this.#running.set(job, process);
    return process;
  }

  write(job: number, lines: readonly string[], sync: boolean): void {
    const process = this.#process(job);
    this.#heal(process);
    process.file.write(lines.map((line) => `${number(process, line)}\n`).join(''));
    if (sync) process.file.fsync(this.#mtime(job));
  }

  /** The line is kept, and written again whole. */
  #heal(process: Process): void {
    if (process.unwritten === undefined) return;
    process.file.write(`\n${process.unwritten}\n`);
    process.unwritten = undefined;
    this.#options.coverage.hit('short write healed');
  }

  shortWrite(job: number, line: string, bytes: number): void {
    const process = this.#process(job);
    this.#heal(process);
    const whole = number(process, line);
    process.file.write(
      Buffer.from(whole)
        .subarray(0, bytes)
        .toString('latin1')
        .replaceAll(/[^ -~]/g, '?'),
    );
    process.unwritten = whole;
  }

  close(job: number): void {
    const process = this.#process(job);
    if (process.writer === undefined) return;
    this.#heal(process);
    const ts = new Date(this.#clock(job)).toISOString();
    process.file.write(
      `${number(process, `{"type":"writer_closed","ts":"${ts}","seq":"next","events":"right"}`)}\n`,
    );
    process.file.fsync(this.#mtime(job));
    this.#running.delete(job);
    this.#options.coverage.hit('closed');
  }

  fsync(job: number): void {
    this.#running.get(job)?.file.fsync(this.#mtime(job));
  }

  /** What the kernel writes back by itself, of all files of the node: some pages, in any order. */
  writeBack(job: number, wanted: (page: number) => boolean): void {
    const file = this.#running.get(job)?.file;
    if (file === undefined || !file.hasDirtyPages) return;
    file.flush(this.#mtime(job), wanted);
    const holed = this.#options.server.files.get(file.path)?.bytes.includes(0) === true;
    this.#options.coverage.hit(holed ? 'pages written in any order' : 'late write-back');
  }

  /** The process is gone, its node is not: the kernel keeps what it had written. */
  kill(job: number): void {
    if (this.#running.delete(job)) this.#options.coverage.hit('SIGKILL');
    this.#died.add(job);
  }

  powerCut(job: number): void {
    const process = this.#running.get(job);
    // a person's node is not the one that goes off
    if (process?.writer === undefined) return;
    const { lost, holed } = process.file.losePages();
    if (lost) this.#options.coverage.hit('power cut with lost lines');
    if (holed) this.#options.coverage.hit('power cut that leaves NULs');
    this.#running.delete(job);
    this.#died.add(job);
  }

  /** Another file that says that it is the same writer's. */
  rival(job: number, origin: string): void {
    const process = this.#running.get(job);
    if (process?.writer === undefined || this.files.has(eventFilePath(process.writer, origin))) return;
    this.#options.coverage.hit('rival writer');
    this.#start(job, process.writer, origin);
  }

  /** Time has passed: whatever is in the memory of a node is on the server. */
  settle(): void {
    for (const file of this.files.values()) file.flush(this.#options.now());
  }
}

/** Gives the line its number, and counts. */
function number(process: Process, line: string): string {
  process.seq += 1;
  return line
    .replaceAll('"seq":"next"', `"seq":${process.seq}`)
    .replaceAll('"events":"right"', `"events":${process.seq - 1}`);
}
