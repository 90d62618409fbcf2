// Files and folders that the projector’s user may not read. Root may read all, so another user is asked.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test, type TestContext } from 'vitest';
import { A, B, DAY, created, metric, text, writerFile } from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';
import { projectInChild, type ChildReport } from './child.ts';

const NOBODY = 65_534;
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
const PATH_A = writerFile(A).path;

/** How to become a user whom permissions bind, or a visible skip where that cannot be had. */
function asOther(context: TestContext): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const canNodeRun = spawnSync(AS_NOBODY[0] ?? '', [...AS_NOBODY.slice(1), process.execPath, '-e', ''], {
    timeout: 20_000,
  });
  if (canNodeRun.status !== 0) context.skip('runs as root, and cannot become somebody else (setpriv)');
  return AS_NOBODY;
}

/** A ledger that others may read, with a database for what they find. */
function shared(): { ledger: TempLedger; project: (through: readonly string[]) => ChildReport } {
  const ledger = new TempLedger(
    writerFile(A, created(0), metric(1, { loss: 1 })),
    writerFile(B, metric(2, { loss: 2 })),
  );
  fs.chmodSync(ledger.root, 0o755);
  const home = fs.mkdtempSync(`${ledger.root}-db-`);
  onTestFinished(() => fs.rmSync(home, { recursive: true, force: true }));
  fs.chmodSync(home, 0o777);
  return {
    ledger,
    project: (through) => projectInChild({ ledger: ledger.root, db: `${home}/x.db`, through }),
  };
}

function stateOf(report: ChildReport, path = PATH_A): unknown {
  const { state, reason } = report.files.find((file) => file.path === path) ?? {};
  return [state, reason];
}

const losses = (report: ChildReport): unknown[] => report.metrics.map(({ loss }) => loss);

describe('without the permission to read', () => {
  test('a file is reported and the others are read; with it, it goes on', (context) => {
    const through = asOther(context);
    const { ledger, project } = shared();
    fs.chmodSync(ledger.path(PATH_A), 0o000);
    const without = project(through);
    expect(losses(without)).toEqual([2]);
    expect(stateOf(without)).toEqual(['missing', 'EACCES']);
    fs.chmodSync(ledger.path(PATH_A), 0o644);
    const withIt = project(through);
    expect(losses(withIt)).toEqual([1, 2]);
    expect(stateOf(withIt)).toEqual(['live', null]);
    // and taken away again: its rows stay
    fs.chmodSync(ledger.path(PATH_A), 0o000);
    ledger.append(PATH_A, `${text(metric(3, { loss: 3, seq: 4 }))}\n`);
    const again = project(through);
    expect(losses(again)).toEqual([1, 2]);
    expect(stateOf(again)).toEqual(['missing', 'EACCES']);
  });

  test('to list a folder: its rows stay, nothing is forgotten, and all goes on afterwards', (context) => {
    const through = asOther(context);
    const { ledger, project } = shared();
    expect(losses(project(through))).toEqual([1, 2]);
    // may be entered, but not listed
    fs.chmodSync(ledger.path(`events/${DAY}`), 0o711);
    ledger.append(PATH_A, `${text(metric(3, { loss: 3, seq: 4 }))}\n`);
    const report = project(through);
    // the folder is opened before a file of it, which needs the same permission
    expect(losses(report)).toEqual([1, 2]);
    expect(stateOf(report)).toEqual(['missing', 'EACCES']);
    fs.chmodSync(ledger.path(`events/${DAY}`), 0o755);
    expect(losses(project(through))).toEqual([1, 3, 2]);
  });

  test('to enter a folder: its rows stay', (context) => {
    const through = asOther(context);
    const { ledger, project } = shared();
    project(through);
    fs.chmodSync(ledger.path(`events/${DAY}`), 0o000);
    expect(losses(project(through))).toEqual([1, 2]);
    fs.chmodSync(ledger.path(`events/${DAY}`), 0o755);
    expect(stateOf(project(through))).toEqual(['live', null]);
  });

  test('ledger.json: nothing is read', (context) => {
    const through = asOther(context);
    const { ledger, project } = shared();
    fs.chmodSync(ledger.path('ledger.json'), 0o000);
    expect(() => project(through)).toThrow(/ledger\.json cannot be read/);
  });
});
