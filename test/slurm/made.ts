// Answers of squeue and sacct, and runs, made up for one job of the id 7.
import { parseSacct } from '../../src/slurm/sacct.ts';
import { parseSqueue } from '../../src/slurm/squeue.ts';
import { RunWorld, squeueHeader, squeueLine } from './recorded.ts';

export const NOBODY: { rows: never[] } = { rows: [] };
const HEAD = 'JobID|JobIDRaw|Partition|State|ExitCode|Submit|Start|End|NodeList';

/** Each `[.step] state start end [exit]`, submitted when it began; times are of one day, `22:10`. */
export function sacct(...rows: string[]): { rows: ReturnType<typeof parseSacct>['rows'] } {
  const lines = rows.map((row) => {
    const words = row.split(' ');
    const step = row.startsWith('.') ? (words.shift() ?? '') : '';
    const [word = '', start = '', end = '', code = '0:0'] = words;
    // one that waits without a partition is a stub
    const [state, partition] =
      word === 'WAITING' ? ['PENDING', 'main'] : [word, word === 'PENDING' ? '' : 'main'];
    return `7${step}|7${step}|${partition}|${state}|${code}|${time(start)}|${time(start)}|${time(end)}|node1`;
  });
  return { rows: parseSacct([HEAD, ...lines].join('\n')).rows };
}

export function time(text: string): string {
  return text === '-' ? 'Unknown' : `2026-11-23T${text}:00`;
}

export function squeue(fields: Readonly<Record<string, string>>): {
  rows: ReturnType<typeof parseSqueue>['rows'];
} {
  const line = squeueLine({ jobid: '7', jobarrayid: '7', restartcnt: '0', nodelist: 'node1', ...fields });
  return { rows: parseSqueue(`${squeueHeader()}\n${line}`).rows };
}

/** A job of one or more starts, each by the time of day when it began, if its environment has it. */
export function world(...starts: { at: string; says: boolean }[]): RunWorld {
  const made = new RunWorld();
  for (const [restart, { at, says }] of starts.entries()) {
    const iso = `${time(at)}.000Z`;
    const job = { job_id: '7', restart_count: restart, ...(says && { started_at: iso }) };
    made.start(`a${restart}`, job, iso);
  }
  return made;
}

export function ends(made: RunWorld): unknown[] {
  return made.folded.attempts.map(({ status, reason }) => [status, reason]);
}
