import * as fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunfoldError } from '../../src/errors.ts';
import { createLedger, findLedger, readLedger } from '../../src/events/ledger.ts';
import { runScript } from './processes.ts';
import { tempDir } from './temp-dir.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof RunfoldError)) throw error;
    expect(error.hint).toBeTruthy();
    return error.code;
  }
  return 'none';
}

describe('findLedger', () => {
  it('takes the named one, then RUNFOLD_DIR, then the nearest .runfold upwards', () => {
    const dir = tempDir();
    const deep = path.join(dir, 'a/b/c');
    fs.mkdirSync(deep, { recursive: true });
    fs.mkdirSync(path.join(dir, '.runfold'));
    fs.mkdirSync(path.join(dir, 'a/.runfold'));
    const env = { RUNFOLD_DIR: '../ledger' };
    expect(findLedger({ explicit: 'x', env, cwd: deep })).toBe(path.join(deep, 'x'));
    expect(findLedger({ env, cwd: deep })).toBe(path.join(dir, 'a/b/ledger'));
    expect(findLedger({ env: { RUNFOLD_DIR: '' }, cwd: deep })).toBe(path.join(dir, 'a/.runfold'));
    expect(findLedger({ env: {}, cwd: dir })).toBe(path.join(dir, '.runfold'));
  });

  it('finds none where there is none, and takes no file for one', () => {
    const dir = tempDir();
    fs.writeFileSync(path.join(dir, '.runfold'), '');
    expect(findLedger({ env: {}, cwd: path.join(dir, 'gone') })).toBeUndefined();
  });
});

describe('createLedger', () => {
  it('makes what readLedger reads', () => {
    const dir = path.join(tempDir(), 'new/ledger');
    const made = createLedger(dir);
    expect(readLedger(dir)).toEqual(made);
    expect(made.path).toBe(dir);
    expect(fs.readdirSync(dir).toSorted()).toEqual(['events', 'ledger.json']);
  });

  it('completes a directory that is there, and leaves a ledger as it is', () => {
    const dir = tempDir();
    fs.mkdirSync(path.join(dir, 'events/2026-11-23'), { recursive: true });
    const made = createLedger(dir);
    expect(codeOf(() => createLedger(dir))).toBe('ledger_exists');
    expect(readLedger(dir)).toEqual(made);
    expect(fs.readdirSync(dir).toSorted()).toEqual(['events', 'ledger.json']);
  });

  it('has one winner of many at the same time', async () => {
    const dir = tempDir();
    const body = `
      try { console.log(createLedger('${dir}/l').ledger_id); } catch (error) { console.log(error.code); }`;
    const all = await Promise.all(Array.from({ length: 12 }, async () => await runScript(dir, body)));
    const answers = all.map(({ stdout }) => stdout.trim());
    const winners = answers.filter((answer) => answer !== 'ledger_exists');
    expect(winners).toEqual([readLedger(path.join(dir, 'l')).ledger_id]);
    expect(fs.readdirSync(path.join(dir, 'l')).toSorted()).toEqual(['events', 'ledger.json']);
  });
});

describe('readLedger', () => {
  const good = {
    format: 'runfold',
    version: 1,
    ledger_id: '6b1c8a04-93f4-4f41-9e66-7f2f0cf0a001',
    created_at: '2026-11-23T10:00:00.000Z',
  };

  function withText(text: string): string {
    const dir = tempDir();
    fs.writeFileSync(path.join(dir, 'ledger.json'), text);
    return codeOf(() => readLedger(dir));
  }

  it('takes a good one, with fields of newer releases', () => {
    expect(withText(JSON.stringify(good))).toBe('none');
    expect(withText(JSON.stringify({ ...good, more: 1 }))).toBe('none');
  });

  it.each([
    ['', 'no JSON'],
    ['[]', 'an array'],
    ['null', 'null'],
    [JSON.stringify({ ...good, format: 'other' }), 'another format'],
    [JSON.stringify({ ...good, version: 2 }), 'a newer version'],
    [JSON.stringify({ ...good, version: '1' }), 'a version that is text'],
    [JSON.stringify({ ...good, ledger_id: '../../etc/passwd' }), 'an id that is a path'],
    [JSON.stringify({ ...good, ledger_id: `${good.ledger_id}\n` }), 'an id with more'],
    [JSON.stringify({ ...good, created_at: 'yesterday' }), 'no time'],
    [' '.repeat(70_000), 'too large'],
  ])('does not read %#: %s', (text) => {
    expect(withText(text)).toBe('ledger_unreadable');
  });

  it('throws nothing but its own errors, whatever the file holds', () => {
    const dir = tempDir();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.dictionary(fc.constantFrom(...Object.keys(good)), fc.jsonValue()),
        ),
        (value) => {
          fs.writeFileSync(
            path.join(dir, 'ledger.json'),
            typeof value === 'string' ? value : JSON.stringify(value),
          );
          expect(['ledger_unreadable', 'none']).toContain(codeOf(() => readLedger(dir)));
        },
      ),
    );
  });

  it('tells a missing ledger from one that cannot be read', () => {
    const dir = tempDir();
    expect(codeOf(() => readLedger(dir))).toBe('ledger_not_found');
    expect(codeOf(() => readLedger(path.join(dir, 'gone')))).toBe('ledger_not_found');
    fs.writeFileSync(path.join(dir, 'file'), '');
    expect(codeOf(() => readLedger(path.join(dir, 'file')))).toBe('ledger_not_found');
    fs.mkdirSync(path.join(dir, 'ledger.json'));
    expect(codeOf(() => readLedger(dir))).toBe('ledger_unreadable');
  });

  it('names a newer release as what helps', () => {
    const dir = tempDir();
    fs.writeFileSync(path.join(dir, 'ledger.json'), JSON.stringify({ ...good, version: 2 }));
    expect(() => readLedger(dir)).toThrow(/is of version 2/);
  });
});
