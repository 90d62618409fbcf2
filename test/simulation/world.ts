// Lets a history happen: a server, writers, two nodes with projectors. Then everything comes to its senses.
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Db } from '../../src/db/open.ts';
import { Random } from '../process/random.ts';
import { ALWAYS_AHEAD } from '../helpers/parse-here.ts';
import { tablesOf } from '../helpers/tables.ts';
import { START_MS } from '../law/history.ts';
import type { Tables } from '../model/model.ts';
import { Client } from './client.ts';
import type { Coverage } from './coverage.ts';
import type { Action, History, Step } from './history.ts';
import { Jobs } from './jobs.ts';
import { Machine } from './machine.ts';
import { tablesOfPrefixes, tablesOfServer } from './oracle.ts';
import { Progress } from './progress.ts';
import { Scheduler } from './scheduler.ts';
import { Server } from './server.ts';

/** More than the slow sweep needs, with clocks that are off by an hour either way. */
const SWEEP_MS = 6 * 60 * 60_000;
const SWEEPS = 3;
const CHECK_EVERY = 4;

export class World {
  readonly trace: string[] = [];
  readonly #scheduler = new Scheduler(START_MS);
  readonly #server = new Server();
  readonly #coverage: Coverage;
  readonly #jobs: Jobs;
  readonly #machines: Machine[];
  readonly #away = new Map<string, Buffer>();
  readonly #verifies: boolean;

  constructor({ settings }: History, coverage: Coverage, directory: string) {
    const scheduler = this.#scheduler;
    const now = (): number => scheduler.now;
    this.#coverage = coverage;
    this.#verifies = settings.verifies;
    this.#jobs = new Jobs({ ...settings, server: this.#server, coverage, now });
    this.#machines = ['a', 'b'].map((name, index) => {
      const client = new Client(this.#server, settings.pageBytes, now, coverage);
      const skewMs = settings.machineSkewsMs[index] ?? 0;
      if (skewMs !== 0) coverage.hit(skewMs > 0 ? 'clock ahead' : 'clock behind');
      const progress = new Progress(coverage);
      let changes = 0;
      return new Machine({
        name,
        scheduler,
        client,
        coverage,
        skewMs,
        projector: settings.ahead && index === 1 ? ALWAYS_AHEAD : {},
        directory,
        onRest: (db, hasDied) => {
          if (!progress.note(db)) return;
          changes += 1;
          // the model takes its time
          if (hasDied || changes % CHECK_EVERY === 0) this.#expectOnlyWhatWasWritten(db);
        },
        log: (text) => this.#log(text),
      });
    });
  }

  #log(text: string): void {
    const ms = this.#scheduler.now - START_MS;
    this.trace.push(`${(ms / 1000).toFixed(3).padStart(12)} s  ${text}`);
  }

  /** At any time: rows, rejected lines and offsets belong together, and no lie of the file system is among them. */
  #expectOnlyWhatWasWritten(db: Db): void {
    expectEqual(tablesOf(db), tablesOfPrefixes(db, this.#jobs.files));
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#scheduler.runUntil(this.#scheduler.now + step.afterMs);
      this.#log(describe(step));
      await this.#act(step);
      for (const { failure } of this.#machines) if (failure !== undefined) throw failure;
    }
  }

  async #act(action: Action): Promise<void> {
    if ('job' in action) this.#actOfJob(action);
    else if ('node' in action) await this.#actOfNode(action);
    else this.#actOnFile(action);
  }

  #actOfJob(action: Extract<Action, { job: number }>): void {
    const jobs = this.#jobs;
    switch (action.type) {
      case 'write':
        return jobs.write(action.job, action.lines, action.sync);
      case 'shortWrite':
        return jobs.shortWrite(action.job, action.line, action.bytes);
      case 'writeBack': {
        const random = new Random(action.seed);
        return jobs.writeBack(action.job, () => random.below(1000) < action.perMille);
      }
      case 'fsync':
        return jobs.fsync(action.job);
      case 'close':
        return jobs.close(action.job);
      case 'killJob':
        return jobs.kill(action.job);
      case 'powerCut':
        return jobs.powerCut(action.job);
      case 'rival':
        return jobs.rival(action.job, action.origin);
    }
  }

  /** Files in the order in which they were made. */
  #pathOf(file: number): string | undefined {
    const paths = [...this.#jobs.files.keys()];
    return paths[file % Math.max(1, paths.length)];
  }

  #actOnFile(action: Exclude<Action, { job: number } | { node: number }>): void {
    const path = this.#pathOf(action.file);
    const file = path === undefined ? undefined : this.#jobs.files.get(path);
    if (path === undefined || file === undefined) return;
    if (action.type === 'putBack') return this.#putBack(path);
    const whole = this.#server.files.get(path)?.bytes;
    if (whole === undefined || this.#away.has(path)) return;
    this.#away.set(path, whole);
    file.isAway = true;
    if (action.type === 'remove') this.#server.remove(path);
    else {
      const size = Math.floor((whole.length * action.perMille) / 1000);
      this.#server.truncate(path, size, this.#scheduler.now);
    }
  }

  #putBack(path: string): void {
    const whole = this.#away.get(path);
    const file = this.#jobs.files.get(path);
    if (whole === undefined || file === undefined) return;
    const isThere = this.#server.files.has(path);
    this.#coverage.hit(isThere ? 'file truncated and restored' : 'file gone and back');
    this.#server.write(path, 0, whole, this.#scheduler.now);
    this.#away.delete(path);
    file.isAway = false;
  }

  async #actOfNode(action: Extract<Action, { node: number }>): Promise<void> {
    const machine = this.#machine(action.node);
    const { client } = machine.options;
    switch (action.type) {
      case 'spell':
        return client.weather.begin(
          action.kind,
          this.#scheduler.now + action.ms,
          action.perMille,
          action.seed,
        );
      case 'remount':
        if (machine.isBusy) this.#coverage.hit('remount within a pass');
        return client.remount();
      case 'pass':
        if (this.#machine(1 - action.node).isBusy) this.#coverage.hit('two projectors at once');
        return machine.pass(action.thorough === undefined ? {} : { thorough: action.thorough });
      case 'hint':
        return machine.hint(this.#pathOf(action.file) ?? 'events/2026-11-23/nothing.ndjson');
      case 'watch':
        return machine.watch(action.ms);
      case 'arm':
        return machine.arm(action.what, action.k);
      case 'kill':
        return await machine.kill();
      case 'restart':
        return machine.restart();
      case 'rebuild':
        return machine.rebuild();
      case 'verify':
        return machine.verify(({ differences }) => expect(JSON.stringify(differences)).toBe('[]'));
      case 'setClock':
        return machine.setClock(action.skewMs);
    }
  }

  #machine(index: number): Machine {
    const machine = this.#machines[index];
    if (machine === undefined) throw new Error(`no machine ${index}`);
    return machine;
  }

  /** All is back, and time passes: the tables are those of the files, and no file is held back. */
  async settle(): Promise<void> {
    this.#log('all is well from here on');
    for (const { options } of this.#machines) options.client.weather.clear();
    for (const path of this.#away.keys()) this.#putBack(path);
    this.#jobs.settle();
    for (const { issued, acknowledged, path } of this.#jobs.files.values()) {
      const there = this.#server.files.get(path)?.bytes.subarray(0, acknowledged);
      expect(there?.equals(issued.subarray(0, acknowledged))).toBe(true);
    }
    for (const machine of this.#machines) {
      await machine.finish();
      machine.restart();
    }
    for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
      await this.#scheduler.runUntil(this.#scheduler.now + SWEEP_MS);
      for (const machine of this.#machines) {
        machine.pass({});
        await machine.finish();
      }
    }
    const expected = tablesOfServer(this.#server);
    for (const machine of this.#machines) this.#expectSettled(machine, expected);
    const machine = this.#machine(0);
    if (this.#verifies) await this.#verifyAndRebuild(machine);
    else await machine.renew();
    expectEqual(tablesOf(machine.db), expected);
  }

  #expectSettled(machine: Machine, expected: Tables): void {
    expectEqual(tablesOf(machine.db), expected);
    const held = machine.db
      .prepare(
        `SELECT path, state, reason FROM _files WHERE NOT (state IN ('quiet', 'complete', 'misplaced')
           OR (state = 'live' AND reason IS NULL) OR reason IN ('second_header', 'other_format'))`,
      )
      .all();
    expect(held).toEqual([]);
  }

  async #verifyAndRebuild(machine: Machine): Promise<void> {
    machine.verify((report) => expect(report).toMatchObject({ differences: [], leftOut: [] }));
    await machine.finish();
    machine.rebuild();
    await machine.finish();
  }

  close(): void {
    for (const { db } of this.#machines) db.close();
  }
}

/** The slow comparison, which says where they differ, only where they may. */
function expectEqual(actual: Tables, expected: Tables): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

function describe(step: Step): string {
  const fields = Object.entries(step).filter(([name]) => name !== 'type' && name !== 'afterMs');
  return [step.type, ...fields.map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(' ');
}
