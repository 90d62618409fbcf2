// A ledger of very many runs, as a sweep of many methods over data sets and seeds would have written it.
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { runIdOf, ulidOf } from './ledger.mjs';

const START_MS = Date.UTC(2025, 5, 1);
/** One process may run many runs; a file for each of 100,000 would measure the file system. */
const RUNS_A_FILE = 200;
const DATASETS = 5;
const METHODS = 20;
const CLIENT = { name: 'bench', version: '1' };
const PARTS_OF_A_SECOND = 1000;

const timeOf = (ms) => new Date(ms).toISOString();

/** One file: numbers and dates its lines, and writes them as they come. */
class File {
  #descriptor;
  #waiting = [];
  #seq = 0;
  bytes = 0;
  ms;

  constructor(directory, number) {
    this.ms = START_MS + number * 60_000;
    const writer = ulidOf(this.ms, number);
    const folder = path.join(directory, 'events', timeOf(this.ms).slice(0, 10));
    mkdirSync(folder, { recursive: true });
    this.#descriptor = openSync(path.join(folder, `${writer}-bench.ndjson`), 'wx');
    const who = { host: `node-${number % 16}`, pid: number + 1, user: 'u', client: CLIENT };
    this.add({ type: 'writer_opened', format: 1, writer, origin: 'bench', ...who });
  }

  add({ type, ...fields }) {
    this.addText(type, JSON.stringify(fields).slice(1, -1));
  }

  /** `fields` is the inside of a JSON object. */
  addText(type, fields) {
    this.#seq += 1;
    this.#waiting.push(`{"type":"${type}","ts":"${timeOf(this.ms)}","seq":${this.#seq},${fields}}\n`);
    this.ms += 1;
    if (this.#waiting.length >= 5_000) this.#write();
  }

  close() {
    this.add({ type: 'writer_closed', events: this.#seq });
    this.#write();
    closeSync(this.#descriptor);
  }

  #write() {
    this.bytes += writeSync(this.#descriptor, this.#waiting.join(''));
    this.#waiting = [];
  }
}

/** Without a random number, so that two ledgers of a size are equal. */
function wave(run, point) {
  return Math.round((0.5 + 0.5 * Math.sin(run * 12.9898 + point * 0.37)) * 1e6) / 1e6;
}

function keyOf(number) {
  const dataset = `dataset-${number % DATASETS}`;
  const method = `method-${Math.floor(number / DATASETS) % METHODS}`;
  const seed = Math.floor(number / (DATASETS * METHODS));
  return {
    key: [1, dataset, method, null, null, seed],
    fields: { experiment_number: 1, dataset, method, seed },
  };
}

function addRun(file, number, points) {
  const { key, fields } = keyOf(number);
  const run_id = runIdOf(key);
  const lr = ((Math.floor(number / DATASETS) % METHODS) + 1) / 1000;
  const config = { lr, batch_size: 64, epochs: points, optimizer: { name: 'adam', beta: 0.9 } };
  const tags = number % 10 === 0 ? ['baseline'] : [];
  file.add({ type: 'run_created', run_id, ...fields, attempt: run_id, config, tags });
  file.add({ type: 'status_changed', run_id, attempt: run_id, status: 'running' });
  for (let point = 0; point < points; point += 1) {
    const [loss, f1, val, test] = [0, 1, 2, 3].map((metric) => wave(number + metric, point));
    const at = `"run_id":"${run_id}","attempt":"${run_id}","elapsed_seconds":${point * 1.5},"epoch":${point}`;
    file.addText('metric', `${at},"loss":${loss},"f1":${f1},"extra":{"val/acc":${val},"test/acc":${test}}`);
  }
  end(file, run_id, number);
}

/** Of a hundred runs 92 are completed, 5 failed, 2 timed out, and 1 goes on. */
function end(file, run_id, number) {
  const part = number % 100;
  const said = { run_id, attempt: run_id };
  if (part < 92) file.add({ type: 'result', ...said, results: { test_acc: wave(number, 0) } });
  else if (part < 97) {
    const traceback = `Traceback (most recent call last):\n  File "/home/u/train.py", line ${part}, in step\nValueError: ${number}\n`;
    file.add({ type: 'error', ...said, exception_type: 'ValueError', message: String(number), traceback });
  }
  const status = part < 92 ? 'completed' : part < 97 ? 'failed' : 'timeout';
  if (part < 99) file.add({ type: 'status_changed', ...said, status, exit_code: part < 92 ? 0 : 1 });
}

/** Adds runs to a ledger; returns its bytes. `onFile` is told how many there are so far. */
export function makeRuns(directory, { runs, points, onFile }) {
  let bytes = 0;
  for (let from = 0; from < runs; from += RUNS_A_FILE) {
    const file = new File(directory, from / RUNS_A_FILE);
    const to = Math.min(runs, from + RUNS_A_FILE);
    for (let number = from; number < to; number += 1) addRun(file, number, points);
    file.close();
    bytes += file.bytes;
    onFile?.(to);
  }
  return bytes;
}

/** Adds one run with very many points, in a file of its own; returns its bytes and the run's id. */
export function makeLongRun(directory, { points, number = 900_000 }) {
  const file = new File(directory, number);
  const key = [1, 'long', 'long', null, null, 0];
  const run_id = runIdOf(key);
  file.add({ type: 'run_created', run_id, experiment_number: 1, dataset: 'long', method: 'long', seed: 0 });
  for (let step = 0; step < points; step += 1) {
    const at = `"run_id":"${run_id}","elapsed_seconds":${step / PARTS_OF_A_SECOND},"step":${step}`;
    file.addText(
      'metric',
      `${at},"loss":${wave(1, step)},"f1":${wave(2, step)},"extra":{"val/acc":${wave(3, step)}}`,
    );
  }
  file.add({ type: 'status_changed', run_id, status: 'completed', exit_code: 0 });
  file.close();
  return { bytes: file.bytes, runId: run_id };
}
