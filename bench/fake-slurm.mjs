// A log of many live jobs, and a squeue and sacct that answer about them in the form in which they are asked.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runIdOf, ulidOf } from './ledger.mjs';
import { built, entry } from './lib.mjs';

const { createLedger } = await import(entry('runfold'));
const { SEPARATOR, squeueArguments } = await import(pathToFileURL(built('./slurm/squeue.js')));
const { sacctArguments } = await import(pathToFileURL(built('./slurm/sacct.js')));

const MINUTE_MS = 60_000;
const FIRST_JOB = 500_000;
/** What the jobs of every twentieth have come to since the log was read. */
const ENDS = [
  { state: 'COMPLETED', exit: '0:0' },
  { state: 'FAILED', exit: '1:0' },
  { state: 'OUT_OF_MEMORY', exit: '0:125' },
  { state: 'TIMEOUT', exit: '0:0' },
];

const timeOf = (ms) => new Date(ms).toISOString();
const slurmTime = (ms) => timeOf(ms).slice(0, 19);

/** Nine tenths are jobs of their own, one tenth tasks of one array, of which four tenths wait. */
export function someJobs(count, now) {
  const tasks = Math.ceil(count / 10);
  const plain = count - tasks;
  const array = FIRST_JOB + plain;
  return Array.from({ length: count }, (_, number) => {
    const task = number < plain ? undefined : number - plain + 1;
    const isWaiting = task !== undefined && task > tasks * 0.6;
    return {
      number,
      job: isWaiting ? array : FIRST_JOB + number,
      array: task === undefined ? undefined : array,
      task,
      isWaiting,
      end: number % 20 === 0 && !isWaiting ? ENDS[(number / 20) % ENDS.length] : undefined,
      submittedAt: now - 120 * MINUTE_MS,
      startedAt: now - (100 - (number % 60)) * MINUTE_MS,
      endedAt: now - 5 * MINUTE_MS,
    };
  });
}

/** Each job that runs has a file of its own; the tasks were recorded when they were submitted. */
export function makeLog(directory, jobs) {
  createLedger(directory);
  const submitted = new Lines(directory, jobs[0].submittedAt, 900_000, 'login');
  for (const job of jobs) {
    const { run_id, key, attempt } = nameOf(job);
    const { array, task } = job;
    const inArray = task === undefined ? {} : { array_job_id: String(array), array_task_id: String(task) };
    const created = { type: 'run_created', run_id, attempt, ...key, config: { lr: 0.001 } };
    const info = { type: 'slurm_info', run_id, attempt, ...inArray };
    if (task !== undefined) {
      submitted.add(created, { ...info, job_id: String(array), state: 'PENDING', source: 'squeue' });
    }
    if (job.isWaiting) continue;
    const lines = new Lines(directory, job.startedAt, job.number, `slurm${job.job}`);
    const said = { cpus: 8, partition: 'gpu', node_list: nodeOf(job), state: 'RUNNING', source: 'env' };
    const running = { type: 'status_changed', run_id, attempt, status: 'running' };
    lines.add(created, { ...info, job_id: String(job.job), ...said }, running);
    lines.write();
  }
  submitted.write();
}

class Lines {
  #lines = [];
  #ms;
  #file;

  constructor(directory, ms, number, origin) {
    const writer = ulidOf(ms, number);
    this.#ms = ms;
    this.#file = path.join(directory, 'events', timeOf(ms).slice(0, 10), `${writer}-${origin}.ndjson`);
    const who = { host: 'node-1', pid: number, user: 'u', client: { name: 'bench', version: '1' } };
    this.add({ type: 'writer_opened', format: 1, writer, origin, ...who });
  }

  add(...events) {
    for (const { type, ...rest } of events) {
      this.#lines.push(JSON.stringify({ type, ts: timeOf(this.#ms), seq: this.#lines.length + 1, ...rest }));
      this.#ms += 1;
    }
  }

  write() {
    mkdirSync(path.dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, `${this.#lines.join('\n')}\n`, { flag: 'wx' });
  }
}

function nameOf({ number, submittedAt }) {
  const key = { experiment_number: 1, dataset: `d${number % 5}`, method: `m${number % 20}`, seed: number };
  const run_id = runIdOf([1, key.dataset, key.method, null, null, number]);
  return { run_id, key, attempt: ulidOf(submittedAt, 100_000 + number) };
}

const nodeOf = ({ number }) => `node${(number % 64) + 1}`;
const idOf = ({ job, array, task }) => (task === undefined ? String(job) : `${array}_${task}`);

/** `--jobs=` of these: an array by its id. */
function askedIds(jobs) {
  return [...new Set(jobs.map(({ job, array }) => String(array ?? job)))];
}

export class FakeSlurm {
  #directory;

  constructor(directory) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    for (const name of ['squeue', 'sacct']) {
      const script = `#!/bin/sh\nprintf '%s\\n' "$*" >>'${this.#of(`${name}.calls`)}'\nexec /bin/cat '${this.#of(name)}.answer'\n`;
      writeFileSync(this.#of(name), script);
      chmodSync(this.#of(name), 0o755);
    }
  }

  get env() {
    return { PATH: `${this.#directory}:${process.env.PATH}` };
  }

  answer(jobs) {
    writeFileSync(this.#of('squeue.answer'), squeueTable(jobs));
    writeFileSync(this.#of('sacct.answer'), sacctTable(jobs));
  }

  /** How often each was called since the last time; an error if they were asked about anything but these jobs. */
  takeCalls(jobs) {
    const ids = askedIds(jobs);
    const expected = { squeue: squeueArguments, sacct: sacctArguments };
    const counts = Object.entries(expected).map(([name, argumentsFor]) => {
      const file = this.#of(`${name}.calls`);
      const calls = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
      rmSync(file, { force: true });
      const due = sorted(argumentsFor(ids).join(' '));
      for (const call of calls)
        if (sorted(call) !== due) throw new Error(`${name} was asked for something else: ${call}`);
      return calls.length;
    });
    return { squeue: counts[0], sacct: counts[1] };
  }

  #of(file) {
    return path.join(this.#directory, file);
  }
}

/** The order in which ids are asked for is no matter. */
function sorted(call) {
  return call.replace(/--jobs=(\S+)/, (_, list) => list.split(',').toSorted().join());
}

function squeueTable(jobs) {
  const fields = squeueArguments([]).at(-1).split(',').map((field) => field.split(':')[0]); // prettier-ignore
  const rowOf = (cells) => fields.map((field) => `${cells[field] ?? ''}${SEPARATOR}`).join('');
  const head = Object.fromEntries(fields.map((field) => [field, field.toUpperCase()]));
  const waiting = jobs.filter(({ isWaiting }) => isWaiting);
  const rows = jobs.filter(({ isWaiting, end }) => !isWaiting && end === undefined).map((job) => rowOf(squeueCells(job))); // prettier-ignore
  if (waiting.length > 0) {
    const [first] = waiting;
    const range = `${first.array}_[${first.task}-${waiting.at(-1).task}]`;
    rows.push(rowOf({ ...squeueCells(first), jobarrayid: range, reason: 'Resources', nodelist: '' }));
  }
  return `${[rowOf({ ...head, jobarrayid: 'JOBID' }), ...rows].join('\n')}\n`;
}

function squeueCells(job) {
  const output = `/home/u/experiments/logs/train-${idOf(job)}`;
  return {
    jobid: job.job,
    jobarrayid: idOf(job),
    state: job.isWaiting ? 'PENDING' : 'RUNNING',
    restartcnt: 0,
    exit_code: 0,
    partition: 'gpu',
    account: 'lab',
    numcpus: 8,
    'tres-alloc': 'cpu=8,mem=32G,node=1,billing=8,gres/gpu=1,gres/gpu:a100=1',
    timelimit: '1-00:00:00',
    submittime: slurmTime(job.submittedAt),
    starttime: job.isWaiting ? 'N/A' : slurmTime(job.startedAt),
    endtime: job.isWaiting ? 'N/A' : slurmTime(job.startedAt + 1440 * MINUTE_MS),
    reason: 'None',
    nodelist: nodeOf(job),
    username: 'u',
    stdout: `${output}.out`,
    stderr: `${output}.err`,
    name: 'train.sh',
  };
}

/** Without the waiting tasks, as SLURM's own; with the batch and extern steps of every job. */
function sacctTable(jobs) {
  const fields = sacctArguments([]).find((word) => word.startsWith('--format=')).slice(9).split(','); // prettier-ignore
  const rowOf = (cells) => fields.map((field) => cells[field] ?? '').join('|');
  const rows = jobs.filter(({ isWaiting }) => !isWaiting).flatMap(sacctCells).map(rowOf); // prettier-ignore
  return `${[fields.join('|'), ...rows].join('\n')}\n`;
}

function sacctCells(job) {
  const { end } = job;
  const tres = 'billing=8,cpu=8,gres/gpu:a100=1,gres/gpu=1,mem=32G,node=1';
  const whole = {
    JobID: idOf(job),
    JobIDRaw: job.job,
    Partition: 'gpu',
    Account: 'lab',
    State: end?.state ?? 'RUNNING',
    ExitCode: end?.exit ?? '0:0',
    Submit: slurmTime(job.submittedAt),
    Start: slurmTime(job.startedAt),
    End: end === undefined ? 'Unknown' : slurmTime(job.endedAt),
    TimelimitRaw: 1440,
    NodeList: nodeOf(job),
    ReqTRES: tres,
    AllocTRES: tres,
    TotalCPU: end === undefined ? '00:00:00' : '10:11:12',
    Reason: 'None',
  };
  const steps = ['batch', 'extern'].map((step) => ({
    ...whole,
    JobID: `${whole.JobID}.${step}`,
    JobIDRaw: `${job.job}.${step}`,
    Partition: '',
    TimelimitRaw: '',
    MaxRSS: end === undefined ? '' : '20123456K',
    Reason: '',
  }));
  return [whole, ...steps];
}
