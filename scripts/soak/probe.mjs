// What can be seen of a watch from outside: memory, descriptors, WAL, and how long a line takes to be visible.
import Database from 'better-sqlite3';
import * as fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { slopeOf } from './lib.mjs';

/**
 * A slope per hour beyond `most`, by more than the doubt about it, fails the soak, if what it comes to in the time
 * measured is more than `least`: a process that has just started is still finding its size.
 */
const BOUNDS = [
  { name: 'RSS', unit: 'MB', most: 40, least: 16 },
  { name: 'descriptors', unit: '', most: 20, least: 8 },
  { name: 'WAL', unit: 'MB', most: 20, least: 8 },
  { name: 'lag', unit: 's', most: 2, least: 1 },
];
const MB = 1_048_576;
const PATIENCE_MS = 60_000;

export class Probe {
  #database;
  #file;
  #db;
  #seq = 0;
  samples = Object.fromEntries(BOUNDS.map(({ name }) => [name, []]));
  longestLagMs = 0;
  /** Lines of the probe that were not visible in PATIENCE_MS. */
  late = 0;

  /** @param database that of the watch; @param ledger where the probe has a file of its own */
  constructor(database, ledger) {
    this.#database = database;
    const folder = path.join(ledger, 'events/soak');
    fs.mkdirSync(folder, { recursive: true });
    this.#file = path.join(folder, 'probe.ndjson');
  }

  #add(name, value) {
    this.samples[name].push([Date.now() / 3_600_000, value]);
  }

  /** @param pid of the watch */
  look(pid) {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    this.#add('RSS', Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
    this.#add('descriptors', fs.readdirSync(`/proc/${pid}/fd`).length);
    this.#add('WAL', (fs.statSync(`${this.#database}-wal`, { throwIfNoEntry: false })?.size ?? 0) / MB);
  }

  /** Appends a line, fsyncs it, and waits until a query sees it; `isUndisturbed` decides whether it counts. */
  async lag(isUndisturbed) {
    this.#seq += 1;
    const step = this.#seq;
    const line = {
      type: 'metric',
      ts: new Date().toISOString(),
      run_id: '0'.repeat(16),
      elapsed_seconds: step,
      step,
    };
    const fd = fs.openSync(this.#file, 'a');
    fs.writeSync(fd, `${JSON.stringify(line)}\n`);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    const since = performance.now();
    this.#db ??= new Database(this.#database, { readonly: true });
    const seen = this.#db
      .prepare("SELECT 1 FROM run_metrics WHERE run_id = ? AND writer = 'soak/probe' AND step = ?")
      .pluck();
    while (seen.get('0'.repeat(16), step) === undefined && performance.now() - since < PATIENCE_MS)
      await sleep(20);
    const ms = performance.now() - since;
    if (!isUndisturbed()) return;
    this.#add('lag', ms / 1000);
    this.longestLagMs = Math.max(this.longestLagMs, ms);
    if (ms >= PATIENCE_MS) this.late += 1;
  }

  close() {
    this.#db?.close();
  }

  /** @returns lines of a table, and whether every slope is within its bound. */
  report(warmUpUntilMs) {
    const rows = [['what', 'samples', 'median', 'highest', 'slope per hour', 'doubt', 'bound', 'verdict']];
    let isFine = true;
    for (const { name, unit, most, least } of BOUNDS) {
      const points = this.samples[name].filter(([hours]) => hours * 3_600_000 >= warmUpUntilMs);
      const values = points.map(([, value]) => value).toSorted((a, b) => a - b);
      const line = slopeOf(points);
      const hours = points.length > 0 ? points.at(-1)[0] - points[0][0] : 0;
      const isWithin = line !== undefined && (line.slope - line.doubt <= most || line.slope * hours <= least);
      isFine &&= isWithin;
      const show = (value) => (value === undefined ? '–' : `${value.toFixed(2)} ${unit}`.trim());
      rows.push([
        name,
        String(points.length),
        show(values[Math.floor(values.length / 2)]),
        show(values.at(-1)),
        show(line?.slope),
        line === undefined ? '–' : `± ${show(line.doubt)}`,
        show(most),
        isWithin ? 'within' : line === undefined ? 'too few samples' : 'BEYOND',
      ]);
    }
    return {
      lines: rows.map((row) => `| ${row.join(' | ')} |`).toSpliced(1, 0, `|${' --- |'.repeat(8)}`),
      isFine,
    };
  }
}
