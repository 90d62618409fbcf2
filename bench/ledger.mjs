// Ledgers of any size for the benchmarks: what many jobs would have written.
import { createHash } from 'node:crypto';
import { mkdirSync, openSync, closeSync, writeSync } from 'node:fs';
import path from 'node:path';
import { entry } from './lib.mjs';

const { createLedger } = await import(entry('runfold'));

/** 2025, so that the files are in old folders. */
const START_MS = Date.UTC(2025, 10, 23, 10);
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A ULID of a time, with a number in the place of its randomness. */
export function ulidOf(ms, number) {
  let text = '';
  for (let value = ms, digit = 0; digit < 10; digit += 1, value = Math.floor(value / 32)) {
    text = CROCKFORD[value % 32] + text;
  }
  let tail = '';
  for (let value = number, digit = 0; digit < 16; digit += 1, value = Math.floor(value / 32)) {
    tail = CROCKFORD[value % 32] + tail;
  }
  return text + tail;
}

export function runIdOf(key) {
  const bytes = createHash('sha256').update(JSON.stringify(key)).digest().subarray(0, 10);
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let digit = 15n; digit >= 0n; digit -= 1n) text += CROCKFORD[Number((bits >> (digit * 5n)) & 31n)];
  return text.toLowerCase();
}

const timeOf = (ms) => new Date(ms).toISOString();

/** The lines of one writer: header, run_created, running, `points` metrics, and an end if it is complete. */
export function writerLines({ number, points, complete = true, startMs = START_MS + number * 1000 }) {
  const writer = ulidOf(startMs, number);
  const origin = `slurm${1000 + number}`;
  const key = [1, `dataset-${number % 5}`, `method-${number % 7}`, null, null, number];
  const run_id = runIdOf(key);
  const lines = [];
  let ms = startMs;
  const add = (event) => {
    const { type, ...rest } = event;
    lines.push(JSON.stringify({ type, ts: timeOf(ms), seq: lines.length + 1, ...rest }));
    ms += 137;
  };
  const client = { name: 'bench', version: '1' };
  add({
    type: 'writer_opened',
    format: 1,
    writer,
    origin,
    host: `node-${number % 16}`,
    pid: number,
    user: 'u',
    client,
  });
  const [experiment_number, dataset, method, subject, cl_info, seed] = key;
  add({
    type: 'run_created',
    run_id,
    experiment_number,
    dataset,
    method,
    subject,
    cl_info,
    seed,
    config: { lr: 0.001 },
  });
  add({ type: 'status_changed', run_id, status: 'running' });
  for (let step = 0; step < points; step += 1) {
    const progress = 1 / (1 + step * 0.001);
    add({
      type: 'metric',
      run_id,
      elapsed_seconds: Math.round(step * 137.25) / 1000,
      epoch: Math.floor(step / 100),
      step,
      loss: progress + Math.sin(step + number) * 0.05,
      f1: 1 - progress * 0.8 + Math.cos(step) * 0.01,
      gpu_memory_mb: 10_240.5 + (step % 64),
      extra: { 'val/loss': progress * 1.1 + Math.sin(step) * 0.07, lr: 0.001 * progress },
    });
  }
  if (complete) {
    add({ type: 'status_changed', run_id, status: 'completed', exit_code: 0 });
    add({ type: 'writer_closed', events: lines.length });
  }
  return {
    file: path.join('events', timeOf(startMs).slice(0, 10), `${writer}-${origin}.ndjson`),
    run_id,
    lines,
  };
}

/**
 * Makes a ledger of `writers` files with `points` metrics each, or adds them to it if they are numbered `from`
 * there on; returns their bytes. `startsAt` gives the time of a writer by its number; `onFile` gets what each file is.
 */
export function makeLedger(directory, { writers, points, complete = true, from = 0, startsAt, onFile }) {
  if (from === 0) createLedger(directory);
  let bytes = 0;
  for (let number = from; number < from + writers; number += 1) {
    const startMs = startsAt?.(number);
    const { file, run_id, lines } = writerLines({ number, points, complete, startMs });
    onFile?.({ file, run_id, seq: lines.length });
    const absolute = path.join(directory, file);
    mkdirSync(path.dirname(absolute), { recursive: true });
    const text = `${lines.join('\n')}\n`;
    const descriptor = openSync(absolute, 'wx');
    bytes += writeSync(descriptor, text);
    closeSync(descriptor);
  }
  return bytes;
}
