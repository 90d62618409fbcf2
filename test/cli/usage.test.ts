import type { Command } from 'commander';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { CliIo } from '../../src/cli/io.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { CLIENT } from '../../src/events/client.ts';
import { until } from '../process/until.ts';
import { Desk } from './command.ts';

/** Every command as its words, those of emit among them. */
const COMMANDS = pathsOf(makeProgram({} as CliIo, () => undefined));

function pathsOf(command: Command, before: string[] = []): string[][] {
  return command.commands.flatMap((child) => [
    [...before, child.name()],
    ...pathsOf(child, [...before, child.name()]),
  ]);
}

test('there are the commands that there are to be', () => {
  const names = COMMANDS.filter((words) => words.length === 1).map(([name]) => name);
  expect(names).toEqual(
    expect.arrayContaining(['init', 'emit', 'sync', 'watch', 'status', 'doctor', 'verify']),
  );
});

test.each(COMMANDS)('%s %s --help explains it on stdout and returns 0, without a log', async (...words) => {
  const given = words.filter((word) => word !== undefined);
  const { code, stdout, stderr } = await new Desk().run([...given, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`Usage: runfold ${given.join(' ')}`);
  // those that nobody types by hand have none
  if (given[0] !== 'complete') expect(stdout).toMatch(/\nExamples:\n {2}\S/);
  // every option says what it is
  for (const line of stdout.split('\n').filter((text) => /^ {2}-/.test(text)))
    expect(line).toMatch(/\S {2,}\S/);
});

test.each(COMMANDS)('%s %s --help fits 80 columns, but for examples', async (...words) => {
  const given = words.filter((word) => word !== undefined);
  const { stdout } = await new Desk().run([...given, '--help']);
  const [options = ''] = stdout.split('\nExamples:');
  expect(options.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('--version prints the version', async () => {
  expect(await new Desk().run(['--version'])).toEqual({ code: 0, stdout: `${CLIENT.version}\n`, stderr: '' });
});

test.each<[string, string[], RegExp]>([
  ['nothing', [], /Usage/],
  ['an unknown command', ['snyc'], /unknown command.*snyc/],
  ['an unknown option', ['sync', '--rebuid'], /unknown option/],
  ['an option without its value', ['status', '--db'], /argument missing/],
  ['too many arguments', ['status', 'now'], /too many arguments/],
  ['no type of event', ['emit'], /emit needs a type/],
  ['an unknown type of event', ['emit', 'metrics'], /"metrics" is no type of event/],
  ['a seed that is no number', ['emit', 'run-created', '--seed', 'seven'], /whole number/],
  ['a seed that is not whole', ['emit', 'run-created', '--seed', '1.5'], /whole number/],
  ['a seed beyond exact numbers', ['emit', 'run-created', '--seed', '9007199254740993'], /whole number/],
  ['an empty seed', ['emit', 'run-created', '--seed', ''], /whole number/],
  ['a metric of no run', ['emit', 'metric', '--loss', '1'], /which run/],
  ['a run id that is none', ['emit', 'metric', '--loss', '1', '--run', 'x'], /run_id/],
  ['a value of a wrong type', ['emit', 'metric', '--loss', 'high', '--seed', '1'], /loss/],
  ['a status that is none', ['emit', 'status-changed', '--status', 'done', '--seed', '1'], /status/],
  ['a time that is none', ['emit', 'metric', '--loss', '1', '--seed', '1', '--ts', 'now'], /ts/],
  [
    'sacct without an attempt',
    ['emit', 'slurm-info', '--job-id', '1', '--source', 'sacct', '--seed', '1'],
    /attempt/,
  ],
  ['--lose-missing alone', ['sync', '--lose-missing'], /--rebuild/],
])('%s: wrong usage is explained on stderr and returns 2, and writes nothing', async (_, args, said) => {
  const desk = await Desk.withLog();
  const { code, stdout, stderr } = await desk.run(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(said);
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(desk.events()).toEqual([]);
});

test.each(['sync', 'watch', 'status', 'doctor', 'verify'])(
  '%s without a log says how to make one',
  async (command) => {
    const desk = new Desk();
    const { code, stdout, stderr } = await desk.run([command]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/there is no \.runfold directory.*\n.*runfold init/);
    expect(fs.readdirSync(desk.cwd)).toEqual([]);
  },
);

test('init makes the log that commands find from below, once', async () => {
  const desk = await Desk.withLog();
  expect(fs.existsSync(path.join(desk.ledger, 'ledger.json'))).toBe(true);
  const again = await desk.run(['init']);
  expect(again).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('there is a log') as string,
  });
  expect(await desk.run(['status'])).toMatchObject({ code: 0 });
  const other = await desk.run(['init', 'some/where']);
  expect(other.stdout).toContain(`export RUNFOLD_DIR=${path.join(desk.cwd, 'some/where')}`);
});

test('reading commands make the first pass, say how fresh they are, and --no-sync leaves it out', async () => {
  const desk = await Desk.withLog();
  await desk.run(['emit', 'run-created', '--seed', '1']);
  for (const command of ['status', 'doctor', 'verify']) {
    const unread = await desk.run([command, '--no-sync']);
    expect(unread).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no database at .*\n.*runfold sync/) as string,
    });
  }
  const first = await desk.run(['status', '--json']);
  expect(JSON.parse(first.stdout)).toMatchObject({ events: 1, holder: null, database: desk.db });
  await desk.run(['emit', 'status-changed', '--seed', '1', '--status', 'running']);
  const stale = await desk.run(['status', '--json', '--no-sync']);
  expect(JSON.parse(stale.stdout)).toMatchObject({ events: 1 });
  expect(stale.stderr).toBe('');
  expect(JSON.parse((await desk.run(['status', '--json'])).stdout)).toMatchObject({ events: 2 });
});

test('sync says what it has read; on a terminal also how far it is', async () => {
  const desk = await Desk.withLog();
  await desk.run(['emit', 'metric', '--seed', '1', '--loss', '1']);
  const piped = await desk.run(['sync']);
  expect(piped).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^1 new event from 1 file\n$/) as string,
  });
  expect(JSON.parse((await desk.run(['sync', '--json'])).stdout)).toMatchObject({ events: 0, rejected: 0 });
  // each look at the clock is later by more than what is done at once takes
  let at = Date.now();
  const clock = { now: () => (at += 250) };
  const rebuilt = await desk.run(['sync', '--rebuild'], { isTTY: true, clock });
  expect(rebuilt.code).toBe(0);
  expect(rebuilt.stderr).toContain('rebuilding: ');
  // the line is taken away at the end
  expect(rebuilt.stderr.endsWith('\r\u001B[K')).toBe(true);
});

test('a damaged database is said to be one, with what mends it', async () => {
  const desk = await Desk.withLog();
  await desk.run(['emit', 'metric', '--seed', '1', '--loss', '1']);
  await desk.run(['sync']);
  const bytes = fs.readFileSync(desk.db);
  bytes.fill(0xff, 4096);
  fs.writeFileSync(desk.db, bytes);
  const { code, stderr } = await desk.run(['sync']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/runfold sync --rebuild/);
  expect(await desk.run(['sync', '--rebuild'])).toMatchObject({ code: 0 });
  expect(await desk.run(['verify'])).toMatchObject({ code: 0 });
});

test.each(['sync', 'verify', 'status', 'doctor'])(
  '%s that is interrupted does not say that all is well',
  async (command) => {
    const desk = await Desk.withLog();
    await desk.run(['emit', 'metric', '--seed', '1', '--loss', '1']);
    const { code, stderr } = await desk.run([command], { signal: AbortSignal.abort() });
    expect(code).toBe(1);
    expect(stderr).not.toContain('bug');
    expect(await desk.run([command])).toMatchObject({ code: command === 'doctor' ? 3 : 0 });
  },
);

test('watch --quiet says nothing while all is well', async () => {
  const desk = await Desk.withLog();
  await desk.run(['emit', 'metric', '--seed', '1', '--loss', '1']);
  const ending = new AbortController();
  const quiet = desk.run(['watch', '--quiet'], { signal: ending.signal });
  await until('it has read the log', async () => {
    const { code, stdout } = await desk.run(['status', '--no-sync', '--json']);
    return code === 0 && (JSON.parse(stdout) as { events: number }).events === 1;
  });
  ending.abort();
  expect(await quiet).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('empty tags are dropped, and no tags at all can be given', async () => {
  const desk = await Desk.withLog();
  for (const tags of ['a,,b,', ',', ''])
    expect((await desk.run(['emit', 'run-annotated', '--seed', '1', '--tags', tags])).code).toBe(0);
  expect(desk.logged()).toMatchObject([{ tags: ['a', 'b'] }, { tags: [] }, { tags: [] }]);
});

test('people are told of logs, not of ledgers', async () => {
  const desk = await Desk.withLog();
  await desk.run(['sync']);
  const said = [
    await desk.run(['init']),
    await desk.run(['status', '--ledger', 'nowhere']),
    await desk.run(['init', 'other']),
    await desk.run(['sync', '--ledger', 'other']),
    await desk.run(['verify', '--no-sync', '--ledger', 'other']),
    await desk.run(['emit', 'metric', '--loss', '1', '--run', 'x']),
    await desk.run(['emit', 'metric', '--loss', '1', '--seed', '1', '--ledger', 'nowhere']),
  ];
  const words = said.map(({ stderr }) => stderr).join('') + Object.values(ERROR_CODES).join('\n');
  expect(words.replaceAll(/--ledger|ledger\.json/g, '')).not.toMatch(/ledger|Crockford/i);
  for (const told of ['there is a log at', 'no log at', 'is of the log ', 'every log has its own default'])
    expect(words).toContain(told);
  expect(words).toMatch(/run_id must be 16 characters of 0-9 and a-z/);
});

test('init says where no log can be made, and what to do', async () => {
  const at = new Desk();
  const made = await at.run(['init', '/proc/x']);
  expect(made).toMatchObject({ code: 1, stdout: '' });
  expect(made.stderr).toMatch(/^runfold: no log can be made at \/proc\/x: ENOENT: .*\n {2}Name a directory /);
});
