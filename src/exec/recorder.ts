// The event file of `runfold exec`: what it says of the run that a command is.
import { hostName, originOf } from '../events/origin.ts';
import { codeInfo } from '../events/code-info.ts';
import { attemptFromEnv, type Env } from '../events/env.ts';
import { EventWriter, ledgerDirectory, workingDirectory } from '../events/event-writer.ts';
import type { EventType } from '../events/event.ts';
import { nodeIo, type FileIo } from '../events/file-io.ts';
import type { Say } from '../events/notices.ts';
import { isIndependent, roleOf } from '../events/ranks.ts';
import type { RunKey } from '../events/run-id.ts';
import { slurmInfoFromEnv } from '../slurm/env.ts';
import { isErrorLogged } from './logged-error.ts';
import type { Note } from './note.ts';
import { fileOf } from './own-output.ts';

/** The run that a command is. */
export interface ExecRun {
  runId: string;
  key: RunKey;
  config: Readonly<Record<string, unknown>> | undefined;
  tags: readonly string[] | undefined;
  notes: string | undefined;
  resume: boolean;
}

/** What a recorder is made of, without what cannot be sent to another process. */
export interface RecorderFacts {
  run: ExecRun;
  words: readonly string[];
  ledger: string | undefined;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** That of `runfold exec`. */
  pid: number;
  /** The ULID of the event file. */
  writer: string;
  /** Default: as the environment says, else the id of the file. */
  attempt: string | undefined;
}

export interface RecorderSurroundings {
  env: Env;
  say?: Say | undefined;
  io?: FileIo;
  /** No call is made to the storage but by `io`. */
  isSilent?: boolean;
}

/** What of the attempt is known without a look at any file. */
export function roleOfRecorder(
  env: Env,
  runId: string,
): { attempt: string | undefined; shared: string | undefined; isActive: boolean } {
  const attempt = attemptFromEnv(env, runId);
  const own = { ...env, RUNFOLD_ATTEMPT: attempt };
  // ranks that log below this one have to find rank 0's attempt, which is this one's
  const place = { env: own, host: hostName(), independent: isIndependent(own) };
  const shared = roleOf({ ...place, allRanks: true }).attempt;
  return { attempt, shared, isActive: roleOf({ ...place, allRanks: false }).writes === 'all' };
}

/** Every call is synchronous: it returns when what it has to say is written. */
export class Recorder {
  /** Absolute. */
  readonly ledger: string;
  readonly #facts: RecorderFacts;
  readonly #surroundings: RecorderSurroundings;
  /** Undefined in ranks above 0, which write nothing. */
  readonly #writer: EventWriter | undefined;

  /** Looks for the log, but writes nothing yet. */
  constructor(facts: RecorderFacts, surroundings: RecorderSurroundings) {
    this.#facts = facts;
    this.#surroundings = surroundings;
    const { run, ledger, writer, pid } = facts;
    const { env, say, io = nodeIo } = surroundings;
    this.ledger = ledgerDirectory({ ledger, env });
    const { attempt, shared, isActive } = roleOfRecorder(env, run.runId);
    if (!isActive) return;
    this.#writer = new EventWriter({
      ledger: this.ledger,
      env: { ...env, RUNFOLD_ATTEMPT: attempt },
      attempt: facts.attempt ?? attempt ?? shared,
      newId: () => writer,
      pid,
      io,
      ...(say && { say }),
    });
  }

  /** Whether all that was told is on the disk of the log. */
  get isDurable(): boolean {
    return this.#writer?.isDurable ?? true;
  }

  take(note: Note): void {
    switch (note.kind) {
      case 'begin':
        this.#begin();
        break;
      case 'sample':
        this.#append(
          'resource_sample',
          { ts: note.ts, elapsed_seconds: note.elapsedSeconds, ...note.sample },
          'soon',
        );
        break;
      case 'flush':
        this.flush();
        break;
      case 'end':
        this.#end(note);
        break;
    }
  }

  flush(): void {
    this.#writer?.flush();
  }

  #begin(): void {
    const { run, words, startedAt, pid } = this.#facts;
    const { env, isSilent = false } = this.#surroundings;
    const { key, config, tags, notes, resume } = run;
    const cwd = workingDirectory();
    const code = codeInfo(cwd, words, isSilent ? () => undefined : undefined);
    const ts = new Date(startedAt).toISOString();
    const created = { ...key, config, tags, notes, resume: resume || undefined, code };
    this.#append('run_created', { ts, ...created }, 'soon');
    const job = slurmInfoFromEnv(env);
    if (job !== undefined) {
      const [stdout_path, stderr_path] = isSilent ? [] : [fileOf(pid, 1), fileOf(pid, 2)];
      this.#append('slurm_info', { ts, ...job, stdout_path, stderr_path }, 'soon');
    }
    this.#append('status_changed', { ts, status: 'running', source: 'wrapper' }, 'now');
  }

  /** The error, unless a logger in the command has recorded one, and the end; all of it is on the disk after. */
  #end({ ts, until, outcome, error }: Note & { kind: 'end' }): void {
    const { status, exitCode, reason } = outcome;
    // no logger can have told of the signal that ended its process
    if (error !== undefined && (error.from === 'signal' || !this.#isErrorLogged(until))) {
      const { exception_type, message, traceback } = error;
      this.#append('error', { ts, exception_type, message, traceback }, 'soon');
    }
    const end = { status, exit_code: exitCode, reason, source: 'wrapper' };
    this.#append('status_changed', { ts, ...end }, 'now');
    this.#writer?.close();
  }

  #isErrorLogged(until: number): boolean {
    const { run, pid, startedAt } = this.#facts;
    const { env, isSilent = false } = this.#surroundings;
    if (this.#writer === undefined || isSilent) return false;
    return isErrorLogged({
      ledger: this.#writer.ledger,
      origin: originOf({ env, host: hostName(), pid }),
      ownWriter: this.#writer.id,
      runId: run.runId,
      attempt: this.#writer.attempt,
      since: startedAt,
      until,
    });
  }

  #append(
    type: Exclude<EventType, 'writer_opened' | 'writer_closed'>,
    fields: object,
    urgency: 'now' | 'soon',
  ): void {
    this.#writer?.append({ type, run_id: this.#facts.run.runId, ...fields }, urgency);
  }
}
