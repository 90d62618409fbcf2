// docs/tutorial.md, typed on a real cluster from its first block to its last.
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { partsOf, readDocument, ROOT, textOf } from '../helpers/documents.ts';
import { until } from '../process/until.ts';
import type { Desk, Lab } from './lab.ts';

const STORY_MS = 600_000;
const PAGE = readDocument('docs/tutorial.md');
/** What the page calls the first job, the second and so on. */
const JOBS = ['4711', '4781'];

export function describeStory(lab: Lab): void {
  describe('docs/tutorial.md', () => {
    test(
      'shows what happens',
      async () => {
        const desk = lab.desk('ada');
        fs.symlinkSync(ROOT, path.join(desk.folder, 'runfold'));
        const player = new Player(lab, desk);
        const played = [];
        for (const part of partsOf(PAGE)) {
          const content = part.language === 'console' ? await player.play(part.content) : part.content;
          played.push({ ...part, content });
        }
        // for whoever changes the page: what it should say, as it was
        if (process.env['RUNFOLD_PLAYED'] !== undefined)
          fs.writeFileSync(process.env['RUNFOLD_PLAYED'], textOf(played));
        expect(normal(textOf(played))).toBe(normal(PAGE));
      },
      STORY_MS,
    );
  });
}

class Player {
  readonly #lab: Lab;
  readonly #desk: Desk;
  /** Where the page works. */
  readonly #log: Desk;
  readonly #jobs: string[] = [];

  constructor(lab: Lab, desk: Desk) {
    this.#lab = lab;
    this.#desk = desk;
    this.#log = desk.below('sweep/slurm');
  }

  /** The block as it should be: its commands, and what they print. */
  async play(block: string): Promise<string> {
    const shown = [];
    for (const line of block.split('\n').filter((each) => each.startsWith('$ '))) {
      await this.#waitFor(line);
      shown.push(line, await this.#type(line.slice(2)));
    }
    return shown.filter((text) => text !== '').join('\n') + '\n';
  }

  /** A reader of the page comes back when the queue is empty. */
  async #waitFor(line: string): Promise<void> {
    const job = this.#jobs.at(-1);
    if (job === undefined) return;
    if (line.startsWith('$ scontrol requeue')) {
      await this.#until(
        `SELECT 1 FROM run_metrics JOIN experiment_runs USING (run_id) WHERE dataset = 'vehicle' AND method = 'adagrad' AND seed = 5`,
      );
    } else if (line.startsWith('$ runfold slurm refresh')) {
      await this.#lab.ends(job);
      const tasks = (await this.#lab.jobs()).filter(({ id }) => id.startsWith(`${job}_`)).map(({ id }) => id);
      for (const task of tasks) await this.#lab.accounted(task);
    } else if (line === '$ runfold jobs') {
      await this.#until(`SELECT 1 FROM experiment_runs WHERE status = 'completed'`);
    }
  }

  async #until(sql: string): Promise<void> {
    await until(sql, async () => (await this.#log.query(sql)).length > 0, STORY_MS);
  }

  async #type(command: string): Promise<string> {
    const real = JOBS.reduce(
      (text, name, index) => text.replaceAll(name, this.#jobs[index] ?? name),
      command,
    );
    const folder = this.#jobs.length === 0 && !this.#desk.has('sweep') ? '.' : 'sweep/slurm';
    const where = {
      HOME: this.#desk.folder,
      RUNFOLD_DB: this.#log.env['RUNFOLD_DB'] ?? '',
      COLUMNS: '100',
    };
    // stderr says how fresh it is, which is in the way here
    const ended = await this.#lab.run(['bash', '-c', `exec 2>>${this.#desk.folder}/stderr\n${real}`], {
      cwd: path.join(this.#desk.folder, folder),
      env: where,
    });
    const submitted = /^job (\d+):/.exec(ended.stdout)?.[1];
    if (submitted !== undefined) this.#jobs.push(submitted);
    const named = this.#jobs.reduce(
      (text, job, index) => text.replaceAll(job, JOBS[index] ?? job),
      ended.stdout,
    );
    return named.replaceAll(this.#desk.folder, '/home/ada').replaceAll('slurmtest', 'ada').trimEnd();
  }
}

/** Without what depends on the hour and the machine. */
function normal(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, 'TIME')
    .replaceAll(/~?\d+(?:\.\d+)? (?:ms|s|min|h|d)\b/g, 'TIME')
    .replaceAll(/\b\d+:\d\d(?::\d\d)?\b/g, 'TIME')
    .replaceAll(/~?\d+(?:\.\d+)?[KMG]\b/g, 'SIZE')
    .replaceAll(/~?\d+ %/g, 'PART')
    .replaceAll(/node(?:\d|\[[\d,-]+\])/g, 'NODE')
    .replaceAll(/^CPU hours: .*$/gm, 'HOURS')
    .replaceAll(/^~ by the samples.*\n/gm, '')
    .replaceAll(/^  \d+ \(4711_45\)/gm, '  ID (4711_45)')
    .replaceAll(/\(\d+ new events?\)/g, '(new events)')
    .replaceAll(/^job .*\n\d+ .*$/gm, 'JOBS')
    .replaceAll(/ {2,}/g, '  ');
}
