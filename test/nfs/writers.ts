// Loggers on the nodes that note, out of the reach of NFS, for which lines fsync has returned.
import type { Started } from '../process/cli-process.ts';
import { builtUrl } from '../helpers/built.ts';
import { CLIENTS, type Lab, type Node } from './lab.ts';

/** Each run of a writer has the writer's number as its seed, and logs the steps 1, 2, 3 … until it is told to end. */
const PYTHON = `
import os, sys, time
sys.path.insert(0, ${JSON.stringify(`${CLIENTS}/python`)})
import runfold
number = sys.argv[1]
run = runfold.init(dataset="nfs", method="python", seed=int(number))
step = 0
with open("/lab/acked-" + number, "a", buffering=1) as acked, open("/lab/logged-" + number, "a", buffering=1) as logged:
    while not os.path.exists("/lab/end-" + number):
        step += 1
        logged.write(f"{step}\\n")
        run.log({"loss": 0.5}, step=step)
        if run.flush():
            acked.write(f"{step}\\n")
        time.sleep(0.2)
run.finish()
`;

const SHELL = `
. ${CLIENTS}/shell/runfold.sh
runfold_open --dataset nfs --method shell --seed "$1"
step=0
until [ -e /lab/end-$1 ]; do
  step=$((step + 1))
  echo $step >>/lab/logged-$1
  runfold_metric --step $step --loss 0.5
  echo $step >>/lab/acked-$1
  sleep 0.2
done
runfold_close
`;

const TYPESCRIPT = `
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunLogger } from '${builtUrl('logger.js')}';
const number = process.argv[2];
const run = RunLogger.create({ dataset: 'nfs', method: 'typescript', seed: Number(number) });
for (let step = 1; !existsSync('/lab/end-' + number); step += 1) {
  appendFileSync('/lab/logged-' + number, step + '\\n');
  run.log({ loss: 0.5 }, { step });
  run.flush();
  appendFileSync('/lab/acked-' + number, step + '\\n');
  await sleep(200);
}
await run.close();
`;

const PROGRAMS = {
  python: { file: 'writer.py', text: PYTHON, start: 'python3' },
  shell: { file: 'writer.sh', text: SHELL, start: 'sh' },
  typescript: { file: 'writer.mjs', text: TYPESCRIPT, start: process.execPath },
} as const;

export class Writer {
  readonly number: number;
  readonly node: Node;
  readonly #lab: Lab;
  readonly #started: Started;

  constructor(lab: Lab, node: Node, language: keyof typeof PROGRAMS, number: number, ledger: string) {
    const { file, text, start } = PROGRAMS[language];
    this.#lab = lab;
    this.node = node;
    this.number = number;
    lab.write(file, text);
    this.#started = lab.begin(node, `RUNFOLD_DIR=${ledger} exec ${start} /lab/${file} ${number}`);
  }

  /** The last step for which fsync has returned; all before it are durable too. */
  get acked(): number {
    return last(this.#lab.read(`acked-${this.number}`));
  }

  /** The last step that was given to the logger. */
  get logged(): number {
    return last(this.#lab.read(`logged-${this.number}`));
  }

  get said(): string {
    return this.#started.stdout;
  }

  get hasEnded(): boolean {
    return this.#started.hasEnded;
  }

  async end(): Promise<void> {
    this.#lab.write(`end-${this.number}`, '');
    await this.#started.ended;
  }
}

/** A line that is still being written has no LF. */
function last(text: string): number {
  return Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1));
}
