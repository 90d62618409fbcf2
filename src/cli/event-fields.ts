// Command line options for the fields of an event type, made from its schema.
import type { Command } from 'commander';
import type { z } from 'zod';
import type { EventType } from '../events/event.ts';
import { eventSchemas } from '../events/event-schemas.ts';
import { parseLoosely, readNameValues } from './name-values.ts';

/** The types that a person writes; the header and the end are the writer's own. */
export type EmittedType = Exclude<EventType, 'writer_opened' | 'writer_closed'>;

const COMMON = new Set(['type', 'ts', 'seq', 'run_id', 'attempt']);
const KEY = new Set(['experiment_number', 'dataset', 'method', 'subject', 'cl_info', 'seed']);

/** What each option is, for --help. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  config: 'hyperparameters and the like',
  tags: 'comma separated, or a JSON list',
  notes: 'free text',
  resume: 'true if it goes on from a checkpoint',
  code: 'git_commit, git_dirty, command, cwd',
  status: 'pending, running, completed, failed or timeout',
  exit_code: 'of the process',
  reason: 'in a word or two',
  source: 'who says so',
  elapsed_seconds: 'since the start (default: since $RUNFOLD_STARTED)',
  epoch: 'whole number',
  step: 'whole number',
  loss: 'number, NaN, Infinity or -Infinity; lowest is best',
  f1: 'the same; highest is best',
  fitness: 'the same; highest is best',
  behavioral_comparison: 'the same; highest is best',
  gpu_memory_mb: 'in MB',
  extra: 'metrics of any other name',
  results: 'final values of any name',
  exception_type: 'such as ValueError',
  message: 'of the exception',
  traceback: 'of the exception',
  hidden: 'true to leave the run out of lists',
  cpu_percent: '100 is one core',
  rss_mb: 'resident memory in MB',
  gpu_percent: 'of the GPU',
  job_id: 'raw job id, $SLURM_JOB_ID',
  array_job_id: '$SLURM_ARRAY_JOB_ID',
  array_task_id: '$SLURM_ARRAY_TASK_ID',
  restart_count: '$SLURM_RESTART_COUNT (default: 0)',
  state: 'in SLURM’s words',
  partition: 'where it runs',
  account: 'which it is charged to',
  node_list: 'nodes',
  cpus: 'how many',
  gpus: 'how many',
  memory_mb: 'as asked for, in MB',
  time_limit_seconds: 'in seconds',
  submitted_at: 'RFC 3339',
  started_at: 'RFC 3339',
  ended_at: 'RFC 3339',
  signal: 'that ended it',
  max_rss_mb: 'most memory used, in MB',
  cpu_seconds: 'processor time used, in seconds',
  stdout_path: 'where its output goes',
  stderr_path: 'where its errors go',
};

interface Field {
  name: string;
  flag: string;
  schema: z.ZodType;
}

export function fieldsOf(type: EmittedType): Field[] {
  return Object.entries(eventSchemas()[type].shape)
    .filter(([name]) => !COMMON.has(name) && !KEY.has(name))
    .map(([name, schema]) => ({ name, flag: `--${name.replaceAll('_', '-')}`, schema }));
}

/** An option for each field; objects are given bit by bit, as name=value, or as JSON. */
export function withFields(command: Command, type: EmittedType): Command {
  for (const { name, flag, schema } of fieldsOf(type)) {
    const isObject = schema.safeParse({}).success;
    command.option(`${flag} ${isObject ? '<name=value...>' : '<value>'}`, DESCRIPTIONS[name]);
  }
  return command;
}

/** The values of the options as the fields of an event; a value no field takes is left for the parser to name. */
export function readFields(
  type: EmittedType,
  flags: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { name, flag, schema } of fieldsOf(type)) {
    const given = flags[camelCase(flag.slice(2))];
    if (given !== undefined) fields[name] = coerce(given, schema);
  }
  return fields;
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function coerce(given: unknown, schema: z.ZodType): unknown {
  if (Array.isArray(given)) return readNameValues(given.map(String));
  const text = String(given);
  // text first: a message that looks like a number is still a message
  if (schema.safeParse(text).success) return text;
  const value = parseLoosely(text);
  if (schema.safeParse(value).success) return value;
  const list = text.split(',').filter((item) => item !== '');
  return schema.safeParse(list).success ? list : value;
}
