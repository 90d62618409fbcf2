// runfold emit: writes events from the shell, one at a time or as a stream.
import { ulid } from 'ulid';
import { attemptFromEnv } from '../../events/env.ts';
import type { EventInput } from '../../events/event-writer.ts';
import { isEventType } from '../../events/event.ts';
import { parseText } from '../../events/parse.ts';
import { isIndependent, rankOf } from '../../events/ranks.ts';
import { runId } from '../../events/run-id.ts';
import { messageOf, RunfoldError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import { slurmInfoFromEnv, type SlurmEnvInfo } from '../../slurm/env.ts';
import { PROGRESS_MS } from '../below.ts';
import { readFields, type EmittedType } from '../event-fields.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { hasKey, keyOf, type KeyFlags } from '../options.ts';
import { readRecords } from '../records.ts';
import { openWriter, outcome } from '../writer.ts';

export interface EmitFlags extends KeyFlags {
  ledger?: string;
  run?: string;
  attempt?: string;
  ts?: string;
}

const KEY_FIELDS = ['experiment_number', 'dataset', 'method', 'subject', 'cl_info', 'seed'] as const;
const POSITION: ReadonlySet<string> = new Set(['elapsed_seconds', 'epoch', 'step']);
/** Whose word is worth nothing without the attempt that it is about. */
const NEEDS_ATTEMPT: ReadonlySet<unknown> = new Set(['slurm', 'squeue', 'sacct']);

/** `emit metric …` and its siblings. */
export function emitOne(
  type: EmittedType,
  flags: EmitFlags,
  fields: Readonly<Record<string, unknown>>,
  io: CliIo,
): ExitCode {
  const filler = new Filler(flags, io);
  const given = readFields(type, fields);
  if (type === 'metric' && Object.keys(given).every((name) => POSITION.has(name))) {
    throw new RunfoldError('usage', 'a metric without a value', {
      hint: 'For example: --loss 0.3 --epoch 1',
    });
  }
  if (type === 'run_created' && flags.run !== undefined) {
    throw new RunfoldError('usage', 'the id of a run is made from its key: leave --run out');
  }
  const event = filler.complete({ type, ...given });
  const problem = problemWith(event);
  if (problem !== undefined) throw new RunfoldError('usage', problem);
  const writer = openWriter(flags, { ...io, env: ofThisExecution(event, flags, io) });
  const job = type === 'run_created' ? jobOf(flags, io) : undefined;
  writer.append(event, job === undefined ? 'now' : 'soon');
  if (job !== undefined) {
    writer.append({ type: 'slurm_info', run_id: event.run_id, attempt: event.attempt, ...job }, 'now');
  }
  const { attempt } = writer;
  writer.close();
  if (type === 'run_created') {
    const started = (io.clock.now() / 1000).toFixed(3);
    // for eval, so as it is: whoever named the attempt is whoever evaluates it
    io.stdout.write(
      `export RUNFOLD_RUN_ID=${event.run_id}\nexport RUNFOLD_ATTEMPT=${shellWord(event.attempt ?? attempt)}\nexport RUNFOLD_STARTED=${started}\n`,
    );
  }
  return outcome(writer);
}

/**
 * The environment without its attempt where that is of another run, or of an execution that this shell has begun before:
 * only `run-created` says when it began, a launcher does not.
 */
function ofThisExecution({ type, run_id }: EventInput, flags: EmitFlags, { env }: CliIo): CliIo['env'] {
  const isBegunHere = type === 'run_created' && Boolean(env['RUNFOLD_STARTED']);
  const joins = !isBegunHere && attemptFromEnv(env, run_id) !== undefined;
  return joins || flags.attempt ? env : { ...env, RUNFOLD_ATTEMPT: undefined };
}

/** `emit -`: events on stdin, one JSON object a line, into one file. A bad one is reported and the rest goes on. */
export async function emitStream(flags: EmitFlags, io: CliIo): Promise<ExitCode> {
  io.report?.({ read: 0, safe: 0 });
  const writer = openWriter(flags, io);
  const filler = new Filler(flags, io);
  let written = 0;
  let refused = 0;
  let record = 0;
  let safe = 0;
  const reporting = setInterval(() => {
    if (writer.isDurable) safe = record;
    io.report?.({ read: record, safe });
  }, PROGRESS_MS).unref();
  const refuse = (problem: string): void => {
    refused += 1;
    say(io.stderr, `record ${record}: ${problem}`);
  };
  const take = (value: unknown): void => {
    if (filler.takeWriterLine(value)) return;
    const event = filler.complete(value);
    const problem =
      problemWith(event) ?? (writer.append(event, urgencyOf(event)) ? undefined : 'not written');
    if (problem === undefined) {
      filler.goOnWith(event);
      written += 1;
    } else refuse(problem);
  };
  try {
    await readRecords(io, {
      value: (value) => {
        record += 1;
        try {
          take(value);
        } catch (error) {
          refuse(messageOf(error));
        }
      },
      problem: (problem) => {
        record += 1;
        // such as NaN in its config, as Python writes it
        if (problem.includes('run_created')) filler.loseRun();
        refuse(problem);
      },
    });
  } finally {
    clearInterval(reporting);
    writer.close();
  }
  say(io.stderr, `${count(written, 'event')} written${refused === 0 ? '' : `, ${refused} refused`}`);
  return refused > 0 || io.signal.aborted ? 1 : outcome(writer);
}

/** Of the job that begins the run here and now; rank 0 speaks for all. */
function jobOf(flags: EmitFlags, io: CliIo): SlurmEnvInfo | undefined {
  const isAnotherTime = flags.ts !== undefined;
  const isOtherRank = !isIndependent(io.env) && (rankOf(io.env) ?? 0) > 0;
  return isAnotherTime || isOtherRank ? undefined : slurmInfoFromEnv(io.env);
}

function urgencyOf(event: EventInput): 'now' | 'soon' {
  return event.type === 'metric' || event.type === 'resource_sample' ? 'soon' : 'now';
}

/** What is wrong with an event, as the reader of its line would say it. */
function problemWith(event: EventInput): string | undefined {
  let overflow: string | undefined;
  const text = JSON.stringify({ ts: new Date(0).toISOString(), ...event, seq: 1 }, (name, value: unknown) => {
    // JSON would make it null, which is absent
    if (typeof value === 'number' && !Number.isFinite(value)) overflow ??= name;
    return value;
  });
  if (overflow !== undefined) return `${overflow}: a number beyond what a double holds`;
  const parsed = parseText(text);
  return parsed.kind === 'rejected' ? parsed.message : undefined;
}

/** Fills in what an event may leave out. */
class Filler {
  readonly #flags: EmitFlags;
  readonly #io: CliIo;
  readonly #startedMs: number;
  /** Of the events that name none. */
  #runId: string | undefined;
  /** For runs that the attempt of the environment is not about. */
  readonly #ownAttempt = ulid();
  /** Of the events of the file that is being copied, if its header was in the stream. */
  #copiedAttempt: string | undefined;

  constructor(flags: EmitFlags, io: CliIo) {
    this.#flags = flags;
    this.#io = io;
    const started = Number(io.env['RUNFOLD_STARTED']);
    this.#startedMs = Number.isFinite(started) && started > 0 ? started * 1000 : io.clock.now();
    this.#runId = flags.run ?? (hasKey(flags) ? runId(keyOf(flags)) : io.env['RUNFOLD_RUN_ID']);
  }

  /**
   * The header and the end of another writer's file are not this one's; but its events keep the attempt that they
   * had in it, or two executions would become one.
   */
  takeWriterLine(value: unknown): boolean {
    const { type, attempt, writer } = (value ?? {}) as Partial<
      Record<'type' | 'attempt' | 'writer', unknown>
    >;
    if (type === 'writer_opened') {
      const own = attempt ?? writer;
      this.#copiedAttempt = typeof own === 'string' ? own : undefined;
    }
    return type === 'writer_opened' || type === 'writer_closed';
  }

  complete(value: unknown): EventInput {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new RunfoldError('usage', 'not a JSON object');
    }
    const given: Record<string, unknown> = { ...value };
    const type = given['type'];
    const before = this.#runId;
    // what follows is about this one: if it is refused, that must not become part of the run before
    if (type === 'run_created') this.loseRun();
    if (typeof type !== 'string' || !isEventType(type)) {
      throw new RunfoldError('usage', `"type" is not one of the event types: ${JSON.stringify(type)}`);
    }
    const fields = type === 'run_created' ? { ...this.#keyOf(given), ...given } : given;
    const runOfIt = given['run_id'] ?? this.#runIdOf(type, fields, before);
    const event: Record<string, unknown> = {
      ...fields,
      type,
      ts: given['ts'] ?? this.#flags.ts,
      run_id: runOfIt,
      attempt: given['attempt'] ?? this.#attemptOf(given['source'], runOfIt),
    };
    if (type === 'metric' || type === 'resource_sample') {
      event['elapsed_seconds'] ??= Math.max(0, this.#io.clock.now() - this.#startedMs) / 1000;
    }
    if (event['ts'] === undefined) delete event['ts'];
    return event as EventInput;
  }

  /** What follows is about a run of which nothing is known, until one is named. */
  loseRun(): void {
    this.#runId = undefined;
  }

  /** The events after this one are about the same run, if they do not say otherwise. */
  goOnWith({ run_id }: EventInput): void {
    this.#runId = run_id;
  }

  /** Undefined where it is the default of our own file, whose header says it. */
  #attemptOf(source: unknown, run: unknown): string | undefined {
    if (this.#flags.attempt) return NEEDS_ATTEMPT.has(source) ? this.#flags.attempt : undefined;
    if (this.#copiedAttempt !== undefined) return this.#copiedAttempt;
    const { env } = this.#io;
    const [given, ofRun] = [attemptFromEnv(env), attemptFromEnv(env, String(run))];
    if (NEEDS_ATTEMPT.has(source)) return ofRun;
    return ofRun === given ? undefined : this.#ownAttempt;
  }

  #keyOf(given: Readonly<Record<string, unknown>>): object {
    const key = { ...keyOf(this.#flags) };
    return Object.fromEntries(KEY_FIELDS.map((name) => [name, given[name] ?? key[name]]));
  }

  /** That of the key, else that of the options or the event before. */
  #runIdOf(type: string, fields: Readonly<Record<string, unknown>>, before: string | undefined): string {
    if (type === 'run_created') return runId(fields as unknown as Parameters<typeof runId>[0]);
    if (before !== undefined) return before;
    throw new RunfoldError('usage', `which run is this ${type} about?`, {
      hint: 'Give its key (--dataset … --method … --seed …), --run, RUNFOLD_RUN_ID, or a run_created first.',
    });
  }
}
