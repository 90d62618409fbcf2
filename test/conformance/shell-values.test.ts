// Texts, numbers and keys through runfold.sh: whatever bytes a script has, a line says what they are.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runId, type RunKey } from '../../src/events/run-id.ts';
import { tempDir } from '../events/temp-dir.ts';
import { cleanEnv } from '../process/cli-process.ts';
import { casesOf, type HostileCase, type KeyCase, type SlurmEnvCase } from './cases.ts';
import { ordered } from './normalise.ts';
import { command, isJson, memberOf, quoted, RUNFOLD_SH } from './shell-script.ts';
import { isThere, SHELLS } from './writers.ts';

/** A shell can have no NUL in a text. */
const shellText = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\0', '\u0001'));
const anyText = fc.oneof(
  shellText,
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(...'"\\\n\r\t\u0008\u000c\u001b\u007f\u2028é🌸\'$`%{}[],:=-0.eE \u0001u'),
    maxLength: 20,
  }),
);
const RUNS = { numRuns: 2 };

describe.each(SHELLS)('%s %s', (...shell) => {
  const words = shell.filter((word) => word !== undefined);
  if (!isThere(words[0] ?? '')) {
    it.skip(`not run: there is no ${words[0]} here`, () => undefined);
    return;
  }

  it('computes the run_id of every key', () => {
    const cases = casesOf<KeyCase>('keys.json').filter((one) => one.not_for?.includes('shell') !== true);
    const said = linesOf(
      words,
      cases.map(({ key }) => idCommand(key)),
    );
    expect(said).toEqual(cases.map(({ run_id }) => run_id ?? 'refused'));
  });

  it('computes the run_id of any key', () => {
    const key = fc.record<RunKey>({
      experiment_number: fc.maxSafeInteger(),
      dataset: anyText,
      method: anyText,
      subject: fc.option(anyText),
      cl_info: fc.option(anyText),
      seed: fc.option(fc.maxSafeInteger()),
    });
    fc.assert(
      fc.property(fc.array(key, { minLength: 15, maxLength: 15 }), (keys) => {
        const lists = keys.map((one) => [
          one.experiment_number,
          one.dataset,
          one.method,
          one.subject,
          one.cl_info,
          one.seed,
        ]);
        expect(linesOf(words, lists.map(idCommand))).toEqual(keys.map(runId));
      }),
      RUNS,
    );
  });

  it('writes every hostile text as the text that it is', () => {
    const cases = casesOf<HostileCase>('hostile.json').filter(
      ({ text, lone }) => !text.includes('\0') && !lone,
    );
    expect(
      textsOf(
        words,
        cases.map(({ text }) => Buffer.from(text)),
      ),
    ).toEqual(cases.map(({ json }) => JSON.parse(json)));
  });

  it('writes any text as the text that it is', () => {
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 40, maxLength: 40 }), (texts) => {
        expect(
          textsOf(
            words,
            texts.map((text) => Buffer.from(text)),
          ),
        ).toEqual(texts.map((text) => text.toWellFormed()));
      }),
      RUNS,
    );
  });

  it('reads bytes that are no UTF-8 as every decoder does, and refuses them in a key', () => {
    const bytes = fc
      .array(
        fc.oneof(
          fc.integer({ min: 1, max: 255 }),
          fc.constantFrom(
            0xc2,
            0xe0,
            0xe1,
            0xed,
            0xef,
            0xf0,
            0xf1,
            0xf4,
            0xf5,
            0x80,
            0x8f,
            0x90,
            0x9f,
            0xa0,
            0xbf,
          ),
        ),
        { minLength: 1, maxLength: 12 },
      )
      .map((list) => Buffer.from(list));
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 40, maxLength: 40 }), (texts) => {
        expect(textsOf(words, texts)).toEqual(texts.map((text) => text.toString('utf8')));
      }),
      RUNS,
    );
    expect(linesOf(words, [Buffer.from([0xff]), Buffer.from([0xed, 0xa0, 0x80])].map(idOfDataset))).toEqual([
      'refused',
      'refused',
    ]);
  });

  it('takes JSON as JSON and everything else as text', () => {
    const numeric = fc.string({ unit: fc.constantFrom(...'0123456789.eE+-'), minLength: 1, maxLength: 7 });
    const almost = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', '}', ',', '0', '\\', '\u0001', ' '))
      .map(([json, at, put]) => {
        const place = at % json.length;
        return json.slice(0, place) + put + json.slice(place + 1);
      });
    const value = fc.oneof(
      numeric,
      almost,
      fc.json(),
      fc.double().map(String),
      fc.jsonValue().map((json) => JSON.stringify(json, null, 2)),
      fc.constantFrom(
        '1e400',
        '-1e400',
        '1.8e308',
        '1.7976931348623157e308',
        '1e-400',
        '[1e999]',
        '00',
        '-',
        '1.',
        '.5',
      ),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 40, maxLength: 40 }), (texts) => {
        const said = linesOf(
          words,
          texts.map((text) => Buffer.from(`_runfold_any ${quoted(text)}; printf '%s\\n' "$_runfold_out"`)),
        );
        expect(said.map((json) => ordered(JSON.parse(json)))).toEqual(
          texts.map((text) => ordered(isTakenAsJson(text) ? JSON.parse(text) : text.toWellFormed())),
        );
      }),
      RUNS,
    );
  });

  it('takes the members of objects with any name and value', () => {
    const object = fc.dictionary(
      fc.string({ unit: 'grapheme', maxLength: 6 }).filter((name) => !name.includes('\0')),
      fc.jsonValue({ maxDepth: 2 }),
      { minKeys: 5, maxKeys: 8 },
    );
    fc.assert(
      fc.property(object, (given) => {
        if (JSON.stringify(given).includes('\0')) return;
        const script = Object.entries(given).map(([name, value]) =>
          Buffer.from(
            `${command('_runfold_member', [memberOf(name, value)])}; printf '{%s}\\n' "$_runfold_out"`,
          ),
        );
        const said = linesOf(words, script).map((json) => Object.entries(JSON.parse(json) as object)[0]);
        expect(ordered(said)).toBe(ordered(Object.entries(given)));
      }),
      { numRuns: 4 },
    );
  });

  it('takes numbers as programs print them, and refuses what is none', () => {
    const given: Record<string, unknown> = {
      '0.5': 0.5, '.5': 0.5, '-.5': -0.5, '+.5': 0.5, '5.': 5, '5.e3': 5000, '+1': 1, '007': 7, '-007.50': -7.5,
      '00': 0, '-0': 0, '1e3': 1000, '1E-3': 0.001, '1e400': 'Infinity', '-1e400': '-Infinity', '0e999': 0,
      nan: 'NaN', NaN: 'NaN', '-nan': 'NaN', inf: 'Infinity', '+Inf': 'Infinity', '-inf': '-Infinity',
      Infinity: 'Infinity', '-Infinity': '-Infinity',
      '': 'refused', abc: 'refused', '1,5': 'refused', '0x10': 'refused', '1e': 'refused', '.': 'refused',
      '1 ': 'refused', '--1': 'refused', '+-1': 'refused', '1.2.3': 'refused', '1e5.5': 'refused', '$(id)': 'refused',
    }; // prettier-ignore
    const said = linesOf(
      words,
      Object.keys(given).map((text) =>
        Buffer.from(
          `if _runfold_measure ${quoted(text)}; then printf '%s\\n' "$_runfold_out"; else printf '"refused"\\n'; fi`,
        ),
      ),
    );
    expect(said.map((json) => ordered(JSON.parse(json)))).toEqual(Object.values(given).map(ordered));
  });

  it('reads the environment of every job of SLURM', () => {
    const cases = casesOf<SlurmEnvCase>('slurm-env.json');
    const said = linesOf(
      words,
      cases.map(({ env }) => {
        const set = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)};`);
        return Buffer.from(
          `(${set.join(' ')} _runfold_slurm_info; printf '{%s}\\n' "\${_runfold_payload#,}")`,
        );
      }),
    );
    expect(said.map((json) => ordered(JSON.parse(json)))).toEqual(
      cases.map(({ slurm_info }) => ordered(slurm_info ?? {})),
    );
  });
});

describe('any awk does', () => {
  const awks = [['mawk'], ['gawk'], ['original-awk'], ['busybox', 'awk']];
  it.each(awks)('%s %s', (...awk) => {
    const [program = ''] = awk;
    const found = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
    if (found === '') return void expect.soft(found, `not run: there is no ${program} here`).toBe('');
    const bin = tempDir();
    fs.writeFileSync(path.join(bin, 'awk'), `#!/bin/sh\nexec ${found} ${awk[1] ?? ''} "$@"\n`, {
      mode: 0o755,
    });
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    for (const locale of ['C', 'C.UTF-8']) {
      const cases = casesOf<HostileCase>('hostile.json').filter(
        ({ text, lone }) => !text.includes('\0') && !lone,
      );
      expect(
        textsOf(
          ['sh'],
          cases.map(({ text }) => Buffer.from(text)),
          { ...env, LC_ALL: locale },
        ),
      ).toEqual(cases.map(({ json }) => JSON.parse(json)));
    }
    const keys = casesOf<KeyCase>('keys.json').filter(({ run_id, not_for }) => run_id && !not_for);
    expect(
      linesOf(
        ['sh'],
        keys.map(({ key }) => idCommand(key)),
        env,
      ),
    ).toEqual(keys.map(({ run_id }) => run_id));
  });
});

/** `_runfold_any` knows an object, an array or a text by its first character; blanks before it make it text. */
function isTakenAsJson(text: string): boolean {
  if (!/^[{["tfn\d-]/.test(text) || !isJson(text)) return false;
  if (/^[tfn\d-]/.test(text) && /\s$/.test(text)) return false;
  let isFinite = true;
  JSON.parse(text, (_, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) isFinite = false;
    return value;
  });
  return isFinite;
}

function idCommand(key: readonly unknown[]): Buffer {
  const names = ['--exp', '--dataset', '--method', '--subject', '--variant', '--seed'];
  const options = names.flatMap((name, index) =>
    key[index] === null ? [] : [name, Object.is(key[index], -0) ? '-0' : String(key[index])],
  );
  return idOf(Buffer.from(options.map(quoted).join(' ')));
}

function idOfDataset(dataset: Buffer): Buffer {
  return idOf(Buffer.concat([Buffer.from("--dataset '"), dataset, Buffer.from("' --method mlp")]));
}

function idOf(options: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from('if _runfold_read_options '),
    options,
    Buffer.from(
      ` 2>/dev/null && _runfold_make_key 2>/dev/null; then printf '%s\\n' "$_runfold_run"; else echo refused; fi`,
    ),
  ]);
}

function textsOf(
  shell: readonly string[],
  texts: readonly Buffer[],
  env?: Record<string, string>,
): unknown[] {
  const script = texts.map((text) => {
    const word = Buffer.from(text.toString('latin1').replaceAll("'", String.raw`'\''`), 'latin1');
    return Buffer.concat([
      Buffer.from("_runfold_text '"),
      word,
      Buffer.from(`' || :; printf '%s\\n' "$_runfold_out"`),
    ]);
  });
  return linesOf(shell, script, env).map((json) => JSON.parse(json));
}

/** What each of the commands prints, one line each. */
function linesOf(
  shell: readonly string[],
  commands: readonly Buffer[],
  env: Readonly<Record<string, string>> = {},
): string[] {
  const dir = tempDir();
  const script = path.join(dir, 'train.sh');
  const head = Buffer.from(`set -eu\n. ${quoted(RUNFOLD_SH)}\n`);
  fs.writeFileSync(script, Buffer.concat([head, ...commands.flatMap((one) => [one, Buffer.from('\n')])]));
  const [program = '', ...args] = shell;
  const ended = spawnSync(program, [...args, script], { env: cleanEnv(env), maxBuffer: 1 << 28 });
  const lines = ended.stdout.toString('utf8').split('\n').slice(0, -1);
  if (lines.length !== commands.length) {
    throw new Error(`${lines.length} lines of ${commands.length}: ${ended.stderr.toString('utf8')}`);
  }
  return lines;
}
