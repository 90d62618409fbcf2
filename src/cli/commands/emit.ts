// runfold emit: writes events from the shell, one at a time or as a stream.
import ndjson from 'ndjson';
import { EventWriter, type EventInput } from '../../events/event-writer.ts';
import { isEventType } from '../../events/event.ts';
import { parseText } from '../../events/parse.ts';
import { runId } from '../../events/run-id.ts';
import { messageOf, RunfoldError } from '../../errors.ts';
import { readFields, type EmittedType } from '../event-fields.ts';
import { count } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { hasKey, keyOf, type KeyFlags } from '../options.ts';
import { printSafe } from '../print-safe.ts';

export interface EmitFlags extends KeyFlags {
  ledger?: string;
  run?: string;
  attempt?: string;
  ts?: string;
}

const KEY_FIELDS = ['experiment_number', 'dataset', 'method', 'subject', 'cl_info', 'seed'] as const;
const POSITION: ReadonlySet<string> = new Set(['elapsed_seconds', 'epoch', 'step']);
/** A line of an event is at most 1 MiB; a record may be written more loosely. */
const MAX_RECORD_CHARACTERS = 16 * 1_048_576;

/** `emit metric …` and its siblings. */
export function emitOne(
  type: EmittedType,
  flags: EmitFlags,
  fields: Readonly<Record<string, unknown>>,
  io: CliIo,
): ExitCode {
  const writer = openWriter(flags, io);
  const filler = new Filler(flags, io);
  const given = readFields(type, fields);
  if (type === 'metric' && Object.keys(given).every((name) => POSITION.has(name))) {
    throw new RunfoldError('usage', 'a metric without a value', { hint: 'For example: --loss 0.3 --epoch 1' });
  }
  if (type === 'run_created' && flags.run !== undefined) {
    throw new RunfoldError('usage', 'the id of a run is made from its key: leave --run out');
  }
  const event = filler.complete({ type, ...given });
  const problem = problemWith(event);
  if (problem !== undefined) throw new RunfoldError('usage', problem);
  writer.append(event, 'now');
  const { attempt } = writer;
  writer.close();
  if (type === 'run_created') {
    const started = (io.clock.now() / 1000).toFixed(3);
    say(io.stdout, `export RUNFOLD_RUN_ID=${event.run_id}`);
    say(io.stdout, `export RUNFOLD_ATTEMPT=${event.attempt ?? attempt}`);
    say(io.stdout, `export RUNFOLD_STARTED=${started}`);
  }
  return outcome(writer);
}

/** `emit -`: events on stdin, one JSON object a line, into one file. A bad one is reported and the rest goes on. */
export async function emitStream(flags: EmitFlags, io: CliIo): Promise<ExitCode> {
  const writer = openWriter(flags, io);
  const filler = new Filler(flags, io);
  let written = 0;
  let refused = 0;
  let record = 0;
  const refuse = (problem: string): void => {
    refused += 1;
    say(io.stderr, `record ${record}: ${printSafe(problem)}`);
  };
  // handed on to split2, which the types of ndjson do not say
  const options: object = { maxLength: MAX_RECORD_CHARACTERS };
  const parser = ndjson.parse(options);
  parser.on('error', (error: Error) => {
    record += 1;
    refuse(error.message);
  });
  parser.on('data', (value: unknown) => {
    record += 1;
    if (isWriterLine(value)) return;
    try {
      const event = filler.complete(value);
      const problem = problemWith(event) ?? (writer.append(event, urgencyOf(event)) ? undefined : 'not written');
      if (problem === undefined) written += 1;
      else refuse(problem);
    } catch (error) {
      refuse(messageOf(error));
    }
  });
  await feed(parser, io);
  writer.close();
  say(io.stderr, `${count(written, 'event')} written${refused === 0 ? '' : `, ${refused} refused`}`);
  return refused > 0 ? 1 : outcome(writer);
}

/** Not a pipe, which would stop at the first record that is no JSON. */
async function feed(parser: NodeJS.ReadWriteStream & { writable: boolean; destroyed?: boolean }, io: CliIo): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    parser.once('end', resolve);
    parser.once('close', resolve);
  });
  try {
    for await (const chunk of io.stdin.iterator({ destroyOnReturn: false })) {
      if (io.signal.aborted || !parser.writable) break;
      parser.write(chunk as Buffer);
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
  }
  if (parser.writable) parser.end();
  await ended;
}

function openWriter(flags: EmitFlags, io: CliIo): EventWriter {
  return new EventWriter({ ledger: flags.ledger, attempt: flags.attempt, env: io.env, cwd: io.cwd });
}

function outcome(writer: EventWriter): ExitCode {
  const { spooled, lost } = writer.status;
  return spooled + lost > 0 ? 1 : 0;
}

/** The stream of another writer's file: its header and end are not this one's. */
function isWriterLine(value: unknown): boolean {
  const type = (value as { type?: unknown } | null)?.type;
  return type === 'writer_opened' || type === 'writer_closed';
}

function urgencyOf(event: EventInput): 'now' | 'soon' {
  return event.type === 'metric' || event.type === 'resource_sample' ? 'soon' : 'now';
}

/** What is wrong with an event, as the reader of its line would say it. */
function problemWith(event: EventInput): string | undefined {
  const parsed = parseText(JSON.stringify({ ts: new Date(0).toISOString(), ...event, seq: 1 }));
  return parsed.kind === 'rejected' ? parsed.message : undefined;
}

/** Fills in what an event may leave out. */
class Filler {
  readonly #flags: EmitFlags;
  readonly #io: CliIo;
  readonly #startedMs: number;
  #runId: string | undefined;

  constructor(flags: EmitFlags, io: CliIo) {
    this.#flags = flags;
    this.#io = io;
    const started = Number(io.env['RUNFOLD_STARTED']);
    this.#startedMs = Number.isFinite(started) && started > 0 ? started * 1000 : io.clock.now();
    this.#runId = flags.run ?? (hasKey(flags) ? runId(keyOf(flags)) : io.env['RUNFOLD_RUN_ID']);
  }

  complete(value: unknown): EventInput {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new RunfoldError('usage', 'not a JSON object');
    }
    const given: Record<string, unknown> = { ...value };
    const type = given['type'];
    if (typeof type !== 'string' || !isEventType(type)) {
      throw new RunfoldError('usage', `"type" is not one of the event types: ${JSON.stringify(type)}`);
    }
    const fields = type === 'run_created' ? { ...this.#keyOf(given), ...given } : given;
    const event: Record<string, unknown> = {
      ...fields,
      type,
      ts: given['ts'] ?? this.#flags.ts,
      run_id: given['run_id'] ?? this.#runIdOf(type, fields),
    };
    if (type === 'metric' || type === 'resource_sample') {
      event['elapsed_seconds'] ??= Math.max(0, this.#io.clock.now() - this.#startedMs) / 1000;
    }
    if (event['ts'] === undefined) delete event['ts'];
    this.#runId = String(event['run_id']);
    return event as EventInput;
  }

  #keyOf(given: Readonly<Record<string, unknown>>): object {
    const key = { ...keyOf(this.#flags) };
    return Object.fromEntries(KEY_FIELDS.map((name) => [name, given[name] ?? key[name]]));
  }

  /** That of the key, else that of the options or the event before. */
  #runIdOf(type: string, fields: Readonly<Record<string, unknown>>): string {
    if (type === 'run_created') return runId(fields as unknown as Parameters<typeof runId>[0]);
    if (this.#runId !== undefined) return this.#runId;
    throw new RunfoldError('usage', `which run is this ${type} about?`, {
      hint: 'Give its key (--dataset … --method … --seed …), --run, RUNFOLD_RUN_ID, or a run_created first.',
    });
  }
}
