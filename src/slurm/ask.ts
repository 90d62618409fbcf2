// Asks squeue and sacct about many jobs at once.
import type { Env } from '../events/env.ts';
import { Answers, type Heard } from './answers.ts';
import { keyOf, type KnownRun } from './known-run.ts';
import type { Ran, RunCommand } from './run-command.ts';
import { parseSacct, sacctArguments } from './sacct.ts';
import { parseSqueue, squeueArguments } from './squeue.ts';
import type { Problem } from './facts.ts';

/** A controller that is down takes 9 to 18 s to be found so. */
export const TIMEOUT_MS = 30_000;
/** What one argument may hold on Linux is 131,072 bytes. */
const LONGEST_LIST = 100_000;

export interface AskOptions {
  run: RunCommand;
  env: Env;
  signal: AbortSignal;
  timeoutMs?: number;
}

export interface Asked {
  answers: Answers;
  /** What is missing in the answers, and why, for people. */
  notes: string[];
  /** How often a command of SLURM was started. */
  calls: number;
}

/** The ids to ask about, each once: for all tasks of an array its own. */
export function idsOf(runs: readonly KnownRun[]): string[] {
  const ids = new Set<string>();
  for (const { jobs } of runs) {
    for (const job of jobs)
      ids.add(keyOf(job) === job.job_id ? job.job_id : (job.array_job_id ?? job.job_id));
  }
  // what is not an id would be read as something else by a command that takes a list
  return [...ids].filter((id) => /^\d{1,18}$/.test(id));
}

export async function askSlurm(ids: readonly string[], options: AskOptions): Promise<Asked> {
  const lists = chunked(ids);
  const [squeue, sacct] = await Promise.all([
    askOne(lists, { ...options, command: 'squeue', argumentsFor: squeueArguments, parse: parseSqueue }),
    askOne(lists, { ...options, command: 'sacct', argumentsFor: sacctArguments, parse: parseSacct }),
  ]);
  return {
    answers: new Answers(squeue.heard, sacct.heard),
    notes: [...squeue.notes, ...sacct.notes],
    calls: squeue.calls + sacct.calls,
  };
}

interface OneCommand<Row> extends AskOptions {
  command: 'squeue' | 'sacct';
  argumentsFor: (ids: readonly string[]) => string[];
  parse: (text: string) => { isTable: boolean; rows: Row[]; problems: Problem[] };
}

interface One<Row> {
  heard: Heard<Row>;
  notes: string[];
  calls: number;
}

async function askOne<Row>(lists: readonly string[][], options: OneCommand<Row>): Promise<One<Row>> {
  const { command, argumentsFor, parse, run, env, signal, timeoutMs = TIMEOUT_MS } = options;
  const limits = { env: environmentFor(env), timeoutMs, signal };
  const rows: Row[] = [];
  const notes: string[] = [];
  let calls = 0;
  for (const ids of lists) {
    calls += 1;
    const ran = await run(command, argumentsFor(ids), limits);
    if (isUnknownJob(ran)) continue;
    const trouble = troubleOf(ran, timeoutMs);
    if (trouble !== undefined) return { heard: trouble.heard, notes: [`${command} ${trouble.what}`], calls };
    const answer = parse(ran.kind === 'ended' ? ran.stdout : '');
    if (!answer.isTable)
      return { heard: 'failed', notes: [`${command} answered something that is no table`], calls };
    for (const row of answer.rows) rows.push(row);
    const [first] = answer.problems;
    if (first !== undefined) {
      const many = answer.problems.length === 1 ? 'a line' : `${answer.problems.length} lines`;
      notes.push(`${command}: ${many} could not be read; line ${first.line} ${first.what}`);
    }
  }
  return { heard: { rows }, notes, calls };
}

/** squeue's word for: none of these jobs is in the queue; only where it is asked for a single one. */
function isUnknownJob(ran: Ran): boolean {
  return ran.kind === 'ended' && ran.code !== 0 && /invalid job id/i.test(ran.stderr);
}

function troubleOf(ran: Ran, timeoutMs: number): { heard: 'failed' | 'missing'; what: string } | undefined {
  if (ran.kind === 'missing') return { heard: 'missing', what: 'is not installed here' };
  if (ran.kind === 'timed_out')
    return { heard: 'failed', what: `has not answered within ${timeoutMs / 1000} s` };
  if (ran.kind === 'failed') return { heard: 'failed', what: `failed: ${ran.message}` };
  if (ran.code === 0) return undefined;
  const [line = ''] = ran.stderr.trim().split('\n').slice(-1);
  // a site without accounting: sacct is there, and will never say anything
  const isOff = /accounting storage is disabled/i.test(ran.stderr);
  return { heard: isOff ? 'missing' : 'failed', what: `failed: ${line || `exit code ${ran.code}`}` };
}

/** The commands' own settings would change what they print, and a local time cannot be told from another. */
export function environmentFor(env: Env): Env {
  const kept = Object.entries(env).filter(
    ([name]) => !/^(?:SQUEUE_|SACCT_|SLURM_TIME_FORMAT$|LC_|LANGUAGE$)/.test(name),
  );
  return { ...Object.fromEntries(kept), TZ: 'UTC', LC_ALL: 'C', SLURM_BITSTR_LEN: '0' };
}

function chunked(ids: readonly string[]): string[][] {
  const lists: string[][] = [];
  let room = 0;
  for (const id of ids) {
    room -= id.length + 1;
    if (room < 0) {
      lists.push([]);
      room = LONGEST_LIST - id.length - 1;
    }
    lists.at(-1)?.push(id);
  }
  return lists;
}
