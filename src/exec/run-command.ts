// Runs a command as a run: starts it, passes everything through, says how it ended, and ends as it did.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import net from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { errnoOf, messageOf } from '../errors.ts';
import type { Env } from '../events/env.ts';
import { childEnvironment } from './child-environment.ts';
import { errorFromTail, type TailError } from './error-from-tail.ts';
import { jobEnd } from './job-end.ts';
import { isWarning, outcomeOf, type CommandEnd, type Outcome, type Warning } from './outcome.ts';
import { nohupOf } from './nohup.ts';
import { PassThrough } from './pass-through.ts';
import type { Pipe } from './pipes.ts';
import type { Recording } from './recording.ts';
import { Sampler } from './sampler.ts';
import { FORWARDED, reachedByTerminal } from './signals.ts';
import { Tail } from './tail.ts';

/** What is kept of each of stdout and stderr. */
const TAIL_BYTES = 65_536;
/** After the end of the command, which in a job is followed by SIGKILL: by then the end must be on the disk. */
const ANSWER_MS = 2000;
/** Since its SIGTERM, which SLURM follows by SIGKILL after 30 s, unless it is told another KillWait. */
const KILL_WAIT_MS = 20_000;
/** A reader that has stopped must not keep the end from being recorded. */
const OUTPUT_MS = 2000;

export interface CommandOptions {
  words: readonly string[];
  env: Env;
  recording: Recording;
  /** A signal that has come already. */
  early: NodeJS.Signals | undefined;
  /** How long the end of the command waits for a log that does not answer, in milliseconds. */
  logWaitMs: number;
  /** For stdout and stderr, those that are no terminals, in this order; where there are none sockets are used. */
  pipes: readonly Pipe[];
  /** Above stderr, in order, that the command has as this process has them. */
  descriptors: readonly number[];
  /** 0: never. */
  sampleEverySeconds: number;
  now: () => number;
}

/** Whether stdout is left to the command as it is. stderr is always read: its end tells what went wrong. */
export function inheritsStdout(): boolean {
  return isatty(1);
}

/**
 * Resolves when the command has ended, that is recorded, and all that it printed is written; or when a signal has given
 * that up, with the signal if there is no other way to end. Never rejects.
 */
export async function runCommand(options: CommandOptions): Promise<CommandEnd> {
  const { recording, now, env, early } = options;
  const signals = new SignalRelay(env, recording, now);
  if (early !== undefined) signals.pass(early);
  await recording.begin();
  const started = start(options);
  if ('kind' in started) {
    await finish(started, undefined, [], signals, options);
    return started;
  }
  const { child, out, err } = started;
  signals.passTo(child);
  const tails = { out: new Tail(TAIL_BYTES), err: new Tail(TAIL_BYTES) };
  const flows = [flow(out, 1, tails.out, recording), flow(err, 2, tails.err, recording)].filter(
    (each) => each !== undefined,
  );
  const ended = endOf(child, options.words);
  const sampler = sampling(options, child);

  const end = await ended;
  sampler?.end();
  for (const each of flows) each.ended();
  await finish(end, tails, flows, signals, options);
  return flows.some(({ isStuck }) => isStuck) || recording.isStuck
    ? { kind: 'killed', signal: signals.stoppedBy ?? 'SIGTERM' }
    : end;
}

/** Until all is recorded and written, or a signal has given that up. */
async function finish(
  end: CommandEnd,
  tails: Tails | undefined,
  flows: readonly PassThrough[],
  signals: SignalRelay,
  { recording, logWaitMs, now }: CommandOptions,
): Promise<void> {
  const stopped = new AbortController();
  signals.onceEnded(() => {
    for (const each of flows) each.abandon();
    stopped.abort();
  });
  const seen = Promise.all(flows.map((each) => each.seen));
  const [over] = await Promise.all([signals.jobEnd(), within(OUTPUT_MS, seen)]);
  const outcome = outcomeOf(end, signals.passed, over);
  const terminated = signals.passed.find(({ signal }) => signal === 'SIGTERM');
  const killWaitMs =
    terminated === undefined ? Infinity : Math.max(0, KILL_WAIT_MS - (now() - terminated.at));
  const waitMs = Math.min(killWaitMs, logWaitMs);
  const recorded = recording.end(outcome, errorOf(end, outcome, tails), waitMs, stopped.signal);
  // as a shell says it, since there is none between
  if (end.kind === 'not started') recording.sayAlways(end.message);
  await Promise.all([recorded, ...flows.map((each) => each.written)]);
  // what a signal has ended leaves its children, which nobody meant to go on
  if (!outcome.wasAsked && flows.some(({ isHeld }) => isHeld)) {
    recording.say(
      'a background process of the command still holds its output, and what it prints from now on is lost; redirect it to a file: … >file 2>&1 &',
    );
  }
  await recording.said();
}

interface Tails {
  out: Tail;
  err: Tail;
}

function errorOf(end: CommandEnd, outcome: Outcome, tails: Tails | undefined): TailError | undefined {
  if (outcome.status !== 'failed' || (end.kind === 'exited' && end.code === 0)) return undefined;
  const found = errorFromTail(tails?.err.text() ?? '', end);
  if (found.from === 'text') return found;
  // what was asked to end has made no error by doing so
  if (outcome.wasAsked || tails === undefined) return undefined;
  // some programs have their errors on stdout, or `2>&1` has put them there
  const other = errorFromTail(tails.out.text(), end);
  return other.from === 'text' || found.traceback === undefined ? other : found;
}

interface Running {
  child: ChildProcess;
  out: Readable | undefined;
  err: Readable | undefined;
}

function start({
  words,
  env,
  recording,
  pipes,
  descriptors,
}: CommandOptions): Running | (CommandEnd & { kind: 'not started' }) {
  const nohup = nohupOf(env);
  const [program = '', ...args] = nohup === undefined ? words : [nohup, ...words];
  const outPipe = inheritsStdout() ? undefined : pipes[0];
  const errPipe = inheritsStdout() ? pipes[0] : pipes[1];
  const stdout = inheritsStdout() ? 'inherit' : (outPipe?.writeFd ?? 'pipe');
  const stdio: (number | 'inherit' | 'pipe' | 'ignore')[] = ['inherit', stdout, errPipe?.writeFd ?? 'pipe'];
  for (const fd of descriptors) {
    while (stdio.length < fd) stdio.push('ignore');
    stdio[fd] = fd;
  }
  try {
    const child = spawn(program, args, { stdio, env: childEnvironment(env, recording.joined) });
    return {
      child,
      out: readerOf(outPipe) ?? child.stdout ?? undefined,
      err: readerOf(errPipe) ?? child.stderr ?? undefined,
    };
  } catch (error) {
    // such as an argument list that is too long
    return notStarted(error, program);
  } finally {
    // with these open here the end of the command's output would never be seen
    for (const { writeFd } of pipes) closeSync(writeFd);
  }
}

function readerOf(pipe: Pipe | undefined): Readable | undefined {
  return pipe && new net.Socket({ fd: pipe.readFd, readable: true, writable: false });
}

function flow(
  source: Readable | undefined,
  fd: number,
  tail: Tail,
  recording: Recording,
): PassThrough | undefined {
  if (source === undefined) return undefined;
  return new PassThrough({
    source,
    fd,
    see: (chunk) => tail.add(chunk),
    say: (text) => recording.say(text),
  });
}

async function endOf(child: ChildProcess, words: readonly string[]): Promise<CommandEnd> {
  return await new Promise((resolve) => {
    child.once('error', (error) => {
      // a signal that could not be sent is an error too
      if (child.pid === undefined) resolve(notStarted(error, words[0] ?? ''));
    });
    child.once('exit', (code, signal) => {
      resolve(signal === null ? { kind: 'exited', code: code ?? 0 } : { kind: 'killed', signal });
    });
  });
}

function notStarted(error: unknown, program: string): CommandEnd & { kind: 'not started' } {
  const errno = errnoOf(error);
  if (errno === 'ENOENT') {
    return { kind: 'not started', code: 127, reason: 'not found', message: `${program}: command not found` };
  }
  const problem = errno === 'EACCES' ? 'Permission denied' : messageOf(error);
  return { kind: 'not started', code: 126, reason: 'not executable', message: `${program}: ${problem}` };
}

function sampling(
  { recording, sampleEverySeconds }: CommandOptions,
  child: ChildProcess,
): Sampler | undefined {
  if (sampleEverySeconds === 0 || !recording.isActive || child.pid === undefined) return undefined;
  return new Sampler({
    pid: child.pid,
    everyMs: sampleEverySeconds * 1000,
    take: (sample) => recording.sample(sample),
  });
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const waiting = new AbortController();
  try {
    return await Promise.race([
      promise,
      sleep(ms, undefined, { signal: waiting.signal }).catch(() => undefined),
    ]);
  } finally {
    waiting.abort();
  }
}

/** Passes signals on, and asks at the first warning when the job's time is over. */
class SignalRelay {
  readonly passed: Warning[] = [];
  #target: ChildProcess | undefined;
  /** What has come before there was a command. */
  #early: NodeJS.Signals[] = [];
  readonly #env: Env;
  readonly #recording: Recording;
  readonly #now: () => number;
  #asked: Promise<number | undefined> | undefined;
  #stop: (() => void) | undefined;
  /** The signal after the end of the command. */
  stoppedBy: NodeJS.Signals | undefined;

  /** Listens from now on: Node's own answer to SIGUSR1 is a debugger. */
  constructor(env: Env, recording: Recording, now: () => number) {
    this.#env = env;
    this.#recording = recording;
    this.#now = now;
    const isHangupIgnored = nohupOf(env) !== undefined;
    for (const signal of FORWARDED) {
      const isIgnored = signal === 'SIGHUP' && isHangupIgnored;
      process.on(signal, isIgnored ? () => undefined : () => this.pass(signal));
    }
  }

  passTo(command: ChildProcess): void {
    this.#target = command;
    for (const signal of this.#early.splice(0)) command.kill(signal);
  }

  /** Undefined if nobody asked, or it is not known in time. */
  async jobEnd(): Promise<number | undefined> {
    return this.#asked && (await within(ANSWER_MS, this.#asked));
  }

  /** The command is gone: a signal that ends a process is for this one now, which has only output left to write. */
  onceEnded(stop: () => void): void {
    this.#stop = stop;
  }

  pass(signal: NodeJS.Signals): void {
    if (this.#stop !== undefined) {
      if (!ENDING.has(signal)) return;
      this.stoppedBy ??= signal;
      this.#stop();
      return;
    }
    if (this.#target === undefined) this.#early.push(signal);
    else if (reachedByTerminal(signal)) return;
    else this.#target.kill(signal);
    // SIGCONT is what SLURM sends before SIGTERM; without a limit some would fill the memory
    if (!isWarning(signal) || this.passed.length >= MAX_WARNINGS) return;
    this.passed.push({ signal, at: this.#now() });
    if (!this.#recording.isActive) return;
    this.#asked ??= jobEnd(this.#env);
    this.#recording.flush();
  }
}

const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP']);
const MAX_WARNINGS = 1000;
