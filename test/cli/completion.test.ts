// Completion in the shells themselves, with names in the log that mean something to a shell.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPlain } from '../../src/cli/completion/plain.ts';
import { lineOf } from '../../src/cli/completion/words.ts';
import { builtDir } from '../helpers/built.ts';
import { cleanEnv } from '../process/cli-process.ts';
import { Desk, ndjson } from './command.ts';

const HOSTILE = [
  '$(touch pwned)',
  '`touch pwned`',
  'a;touch pwned',
  "it's",
  'a\nb',
  '\u001B[2J',
  '-x',
  '\u202Eabc',
];
let desk: Desk;
let bin: string;

/** None of them changes anything: one log is enough for all tests. */
beforeAll(async () => {
  desk = await Desk.withLog(fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'runfold-test-'))));
  for (const dataset of ['iris', 'ir:is', 'wein-größe', ...HOSTILE]) {
    await desk.run(['emit', 'run-created', `--dataset=${dataset}`, '--seed', '1', '--tags', 'baseline']);
  }
  const points = {
    type: 'metric',
    elapsed_seconds: 1,
    loss: 1,
    extra: { 'val/acc': 1, '$(touch pwned)': 1 },
  };
  await desk.run(['emit', '-'], {
    stdin: ndjson(
      {
        type: 'run_created',
        dataset: 'iris',
        seed: 1,
        config: { lr: 0.1, optimizer: { momentum: 0.9 }, '`touch pwned`': 1 },
        tags: ['baseline'],
      },
      points,
      { type: 'result', results: { test_acc: 0.5, 'a;b': 1 } },
    ),
  });
  await desk.run(['sync']);
  bin = path.join(desk.cwd, 'bin');
  fs.mkdirSync(bin);
  const cli = path.join(builtDir(), 'cli/main.js');
  fs.writeFileSync(path.join(bin, 'runfold'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
  fs.chmodSync(path.join(bin, 'runfold'), 0o755);
  for (const shell of ['bash', 'zsh', 'fish']) {
    fs.writeFileSync(path.join(desk.cwd, shell), (await desk.run(['completion', shell])).stdout);
  }
});

afterAll(() => fs.rmSync(desk.cwd, { recursive: true, force: true }));

/** What the script prints, run in the directory of the desk with `runfold` in the path. */
function inShell(shell: string, script: string): string[] {
  const env = cleanEnv({
    RUNFOLD_DB: desk.db,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: desk.cwd,
    LC_ALL: 'C.UTF-8',
  });
  const flags = shell === 'zsh' ? ['-f'] : shell === 'fish' ? ['--no-config'] : ['--norc', '--noprofile'];
  const { stdout, stderr } = spawnSync(shell, [...flags, '-c', script], {
    cwd: desk.cwd,
    env,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.split('\n').slice(0, -1);
}

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ['--version']).error === undefined;
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
}

/** The words as the completion of each shell finds them; the last is being typed. */
const ASK: Readonly<Record<string, (words: readonly string[]) => string[]>> = {
  bash: (words) =>
    inShell(
      'bash',
      `. ./bash; COMP_WORDS=(runfold ${quoted(words)}); COMP_CWORD=${words.length}
      _runfold; [ \${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`,
    ),
  zsh: (words) =>
    inShell(
      'zsh',
      // what is registered and offered in an interactive shell is looked at here
      `compdef() { [[ $1 == _runfold ]] }; compadd() { print -rl -- "\${values[@]}" }; compset() { : }; _files() { print FILES }
      . ./zsh; words=(runfold ${quoted(words)}); CURRENT=${words.length + 1}
      _runfold || true`,
    ),
  fish: (words) =>
    inShell('fish', `source ./fish; complete -C ${quoted([`runfold ${words.join(' ')}`])}`).map(
      (line) => line.split('\t')[0] ?? '',
    ),
};

describe.each(['bash', 'zsh', 'fish'])('%s', (shell) => {
  // bash is never left out
  const its = shell === 'bash' || isInstalled(shell) ? test : test.skip;
  const ask = (...words: string[]): string[] => ASK[shell]?.(words) ?? [];

  its('commands, options, choices', () => {
    expect(ask('')).toEqual(expect.arrayContaining(['sync', 'sql', 'export', 'completion']));
    expect(ask('')).not.toContain('complete');
    expect(ask('ex')).toContain('export');
    expect(ask('emit', 'met')).toEqual(['metric']);
    expect(ask('sync', '--reb')).toEqual(['--rebuild']);
    expect(ask('export', '--format', '')).toEqual(expect.arrayContaining(['csv', 'ndjson', 'parquet']));
    expect(ask('runs', '--status', 'f')).toEqual(['failed']);
  });

  its('values of the database, those alone that mean nothing to a shell', () => {
    expect(ask('runs', '--dataset', '').toSorted()).toEqual(['ir:is', 'iris', 'wein-größe']);
    expect(ask('runs', '--dataset', 'i').toSorted()).toEqual(['ir:is', 'iris']);
    expect(ask('tag', '@last', '')).toEqual(['baseline']);
    expect(ask('show', '').filter((id) => !/^[0-9a-z]{16}$/.test(id))).toEqual(['@last']);
    expect(ask('show', '').length).toBe(3 + HOSTILE.length + 1);
    expect(fs.existsSync(path.join(desk.cwd, 'pwned'))).toBe(false);
  });

  its('the last run, metrics, fields, lists and commands', () => {
    if (shell !== 'bash') expect(ask('errors', '@')).toEqual(['@last']);
    expect(ask('compare', 'abc', '')).toContain('@last');
    expect(ask('emit', 'metric', '--run', '')).not.toContain('@last');
    expect(ask('plot', '')).toEqual(['loss', 'val/acc']);
    expect(ask('leaderboard', '')).toEqual(expect.arrayContaining(['loss', 'val/acc', 'results.test_acc']));
    expect(ask('metrics', '@last', '--name', 'v')).toEqual(['val/acc']);
    expect(ask('runs', '--sort', 'config.').toSorted()).toEqual(['config.lr', 'config.optimizer.momentum']);
    expect(ask('runs', '--sort', '-final.')).toEqual(['-final.loss', '-final.val/acc']);
    expect(ask('runs', '--select', 'dataset,config.l')).toEqual(['dataset,config.lr']);
    expect(ask('leaderboard', 'loss', '--rows', 'meth')).toEqual(['method']);
    expect(ask('leaderboard', 'loss', '--columns', 'results.')).toEqual(['results.test_acc']);
    expect(ask('plot', 'loss', '--by', 'no')).toEqual(expect.arrayContaining(['none', 'notes']));
    expect(ask('errors', '--by', '').toSorted()).toEqual(['place', 'type']);
    expect(ask('runs', '--status', 'failed,t')).toEqual(['failed,timeout']);
    expect(ask('runs', '--status', 'failed,')).not.toContain('failed,failed');
    expect(ask('help', 'ru')).toEqual(['runs']);
    expect(ask('help', 'emit', 'met')).toEqual(['metric']);
    expect(ask('help', 'runs', '')).toEqual([]);
    expect(ask('runs', '--e').toSorted()).toEqual(['--exp', '--experiment-number']);
    expect(ask('emit', 'metric', '--v')).toEqual(['--variant']);
    expect(ask('runs', '-').filter((flag) => /^-[^-]/.test(flag))).toEqual([]);
  });

  its('what was typed is not run', () => {
    ask('show', '$(touch pwned)');
    ask('runs', '--dataset', '`touch pwned`', '');
    ask('--db=$(touch pwned)=', '');
    expect(fs.existsSync(path.join(desk.cwd, 'pwned'))).toBe(false);
  });
});

test('bash parts words at = and :, and keeps what stands before', () => {
  const ask = ASK['bash'];
  expect(ask?.(['runs', '--dataset', '=', 'wein'])).toEqual(['wein-größe']);
  expect(ask?.(['export', '--format', '='])).toEqual(['csv', 'ndjson', 'parquet']);
  expect(ask?.(['runs', '--dataset', 'ir', ':', 'i'])).toEqual(['is']);
});

test('bash takes @ for a word of its own', () => {
  const ask = ASK['bash'];
  expect(ask?.(['errors', '@'])).toEqual(['last']);
  expect(ask?.(['errors', '@', 'la'])).toEqual(['last']);
  expect(ask?.(['compare', '@', 'last', '@', ''])).toEqual(['last']);
});

test('bash completes as somebody who types it', () => {
  const script = `eval "$(runfold completion bash)"; complete -p runfold; eval "$(runfold completion bash)"`;
  expect(inShell('bash', script)).toEqual(['complete -F _runfold runfold']);
});

test('without a database there is nothing, and nothing is made', async () => {
  const empty = await Desk.withLog();
  expect(await empty.run(['complete', 'bash', '--', 'show', ''])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  expect(fs.existsSync(empty.db)).toBe(false);
  const nowhere = new Desk();
  const options = { env: { RUNFOLD_DB: '' } };
  expect(await nowhere.run(['complete', 'fish', '--', 'show', ''], options)).toMatchObject({
    code: 0,
    stdout: '',
  });
});

test('files are left to the shell', async () => {
  for (const words of [
    ['sync', '--db', ''],
    ['sync', '--ledger=x'],
    ['export', ''],
  ]) {
    expect((await desk.run(['complete', 'zsh', '--', ...words])).stdout).toBe(':files\n');
  }
});

test('property: a plain value is one word in bash, and that word', () => {
  const letter = fc.oneof(
    fc.constantFrom(...Array.from('aZ09@_./:+-éß語')),
    fc.string({ unit: 'grapheme', maxLength: 1 }),
  );
  const values = fc
    .sample(fc.array(letter, { minLength: 1, maxLength: 12 }), 3000)
    .map((parts) => parts.join(''));
  const plain = values.filter(isPlain);
  expect(plain.length).toBeGreaterThan(100);
  expect(inShell('bash', `printf '%s\\n' ${plain.join(' ')}`)).toEqual(plain);
});

test('property: words that bash has parted are joined again', () => {
  const word = fc.stringMatching(/^[a-z-]{1,8}$/);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), word, word, (before, option, value) => {
      const typed = `--${option}=${value}`;
      expect(lineOf('bash', [...before, `--${option}`, '=', value])).toEqual({
        words: [...before, typed],
        kept: typed.length - value.length,
      });
      expect(lineOf('zsh', [...before, typed])).toEqual({ words: [...before, typed], kept: 0 });
    }),
  );
});
