// A ledger as a month of jobs leaves it: attempts that were requeued, diverged, died, torn lines and all.
import * as fs from 'node:fs';
import path from 'node:path';
import { createLedger } from '../../src/events/ledger.ts';
import { eventFilePath } from '../../src/events/layout.ts';
import { runId, type RunKey } from '../../src/events/run-id.ts';
import type { Random } from './random.ts';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const START_MS = Date.UTC(2026, 10, 20, 8);
const HOUR_MS = 3_600_000;
const METHODS = ['cnn', 'mlp', 'gru'];
/** Not valid: a torn line, a wrong type, a key that is another run's, bytes that are no text. */
const BAD_LINES = [
  Buffer.from('{"type":"metric","ts":"2026-11-2\n'),
  Buffer.from('{"type":"metric","ts":"2026-11-20T08:00:00Z","run_id":7}\n'),
  Buffer.from('[1,2,3]\n'),
  Buffer.from([0xff, 0xfe, 0x0a]),
];

export interface BigLedger {
  root: string;
  /** Relative to `root`. */
  files: string[];
  /** Valid lines, without headers and ends. */
  events: number;
  rejected: number;
}

interface Writer {
  key: RunKey;
  /** Of its run: 0 for the first execution. */
  attempt: number;
  startedMs: number;
  firstStep: number;
  lines: number;
}

/** Writes `events` valid lines, as near as it comes, by `writers` writers into `root`. */
export function writeBigLedger(
  root: string,
  options: { events: number; writers: number },
  random: Random,
): BigLedger {
  createLedger(root);
  const ledger: BigLedger = { root, files: [], events: 0, rejected: 0 };
  const lines = Math.floor(options.events / options.writers);
  for (let index = 0; index < options.writers; index += 1) {
    const run = index % Math.ceil(options.writers / 2);
    const attempt = index === run ? 0 : 1;
    const key: RunKey = {
      experiment_number: 1, dataset: `d${run % 5}`, method: METHODS[run % 3] ?? '', subject: run % 2 === 0 ? null : 'ß',
      cl_info: null, seed: run,
    }; // prettier-ignore
    const startedMs = START_MS + run * HOUR_MS + attempt * 5 * HOUR_MS;
    // the second execution goes on from half-way, so that the rest of the first is superseded
    const firstStep = attempt === 0 ? 0 : Math.floor(lines / 2);
    writeFile(ledger, { key, attempt, startedMs, firstStep, lines }, random);
  }
  return ledger;
}

function writeFile(ledger: BigLedger, writer: Writer, random: Random): void {
  const id = ulidAt(writer.startedMs, random);
  const file = eventFilePath(id, `slurm${writer.key.seed}r${writer.attempt}`);
  const parts = [...bytesOf(ledger, writer, id, random)];
  fs.mkdirSync(path.dirname(path.join(ledger.root, file)), { recursive: true });
  fs.writeFileSync(path.join(ledger.root, file), Buffer.concat(parts));
  ledger.files.push(file);
}

function* bytesOf(ledger: BigLedger, writer: Writer, id: string, random: Random): Generator<Buffer> {
  let seq = 0;
  const { key, attempt, startedMs, lines } = writer;
  const run = runId(key);
  const origin = `slurm${key.seed}r${attempt}`;
  const job = { job_id: String(1000 + (key.seed ?? 0)), restart_count: attempt };
  const line = (type: string, fields: object): Buffer => {
    seq += 1;
    if (!type.startsWith('writer_')) ledger.events += 1;
    const ts = new Date(startedMs + seq * 250).toISOString();
    return Buffer.from(`${JSON.stringify({ type, ts, seq, run_id: run, ...fields })}\n`);
  };
  yield line('writer_opened', {
    run_id: undefined, format: 1, writer: id, origin, host: `node${attempt}`, pid: 1, user: 'ada',
    client: { name: 'test', version: '1' },
  }); // prettier-ignore
  yield line('run_created', { ...key, config: { lr: 0.1, attempt }, tags: ['big'], resume: attempt > 0 });
  yield line('slurm_info', { ...job, source: 'env', node_list: `node${attempt}`, state: 'RUNNING' });
  yield line('status_changed', { status: 'running' });
  const metrics = lines - 7;
  for (let step = 0; step < metrics; step += 1) {
    yield line('metric', metricAt(writer.firstStep + step, random));
    if (random.below(500) === 0) {
      yield random.pick(BAD_LINES);
      ledger.rejected += 1;
    }
  }
  yield line('error', { exception_type: 'RuntimeError', message: `CUDA out of memory on ${origin}` });
  yield line('result', { results: { acc: random.next(), attempt } });
  yield line('status_changed', {
    status: attempt === 0 ? 'failed' : 'completed',
    exit_code: attempt === 0 ? 137 : 0,
  });
  // some die without a word
  if (random.below(4) !== 0) yield line('writer_closed', { run_id: undefined, events: seq });
}

function metricAt(step: number, random: Random): object {
  const loss = random.below(200) === 0 ? 'NaN' : 10 / (step + 1) + random.next();
  return {
    elapsed_seconds: step * 0.25, step, epoch: Math.floor(step / 50), loss, f1: random.next(),
    gpu_memory_mb: 1000 + random.below(500),
    ...(step % 10 === 0 && { extra: { 'val/acc': random.next(), lr: 0.1 / (step + 1) } }),
  }; // prettier-ignore
}

function ulidAt(ms: number, random: Random): string {
  let time = '';
  for (let left = ms; time.length < 10; left = Math.floor(left / 32))
    time = CROCKFORD.charAt(left % 32) + time;
  return time + Array.from({ length: 16 }, () => CROCKFORD.charAt(random.below(32))).join('');
}
