// The documents are held against the code: what they list, what they link to, what they show.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { CliIo } from '../src/cli/io.ts';
import { makeProgram } from '../src/cli/program.ts';
import { IN_MEMORY, openForWriting } from '../src/db/open.ts';
import { ERROR_CODES } from '../src/errors.ts';
import { EVENT_TYPES, type EventType } from '../src/events/event.ts';
import { eventSchemas } from '../src/events/event-schemas.ts';
import { parseText } from '../src/events/parse.ts';
import { REJECT_CODES } from '../src/events/reject-codes.ts';
import { hashKey } from '../src/events/run-id.ts';
import { HOLE_PATIENCE_MS, PACE } from '../src/projector/pace.ts';
import { builtDir } from './helpers/built.ts';
import { fences, readDocument as read, ROOT } from './helpers/documents.ts';
import { given } from './helpers/given.ts';
import { Home } from './helpers/home.ts';
import { pythonWith } from './helpers/python.ts';
import { A, created, errorEvent, metric, result, status, writerFile } from './helpers/lines.ts';

const PAGES = fs.readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'examples/data/README.md',
  'clients/python/README.md',
  'conformance/README.md',
  ...PAGES.map((name) => `docs/${name}`),
];

/** What stands below each heading, by its text without backticks; `#` in a fence is no heading. */
function sectionsOf(text: string): Map<string, string> {
  const sections = new Map<string, string>();
  let heading = '';
  let isFenced = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) isFenced = !isFenced;
    const found = isFenced ? null : /^#+ (.*)$/.exec(line);
    if (found === null) sections.set(heading, `${sections.get(heading) ?? ''}${line}\n`);
    else heading = (found[1] ?? '').replaceAll('`', '');
    if (found !== null) sections.set(heading, '');
  }
  return sections;
}

function section(text: string, heading: string): string {
  const found = sectionsOf(text).get(heading);
  if (found === undefined) throw new Error(`no heading "${heading}"`);
  return found;
}

/** The cells of all tables in a text, without their headers and without backticks around a whole cell. */
function rowsOf(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  const isDelimiter = (line: string | undefined): boolean => line !== undefined && /^[|\s:-]+$/.test(line);
  return lines
    .filter((line, index) => !isDelimiter(line) && !isDelimiter(lines[index + 1]))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')),
    );
}

function column(text: string, index: number): string[] {
  return rowsOf(text).map((row) => row[index] ?? '');
}

describe('docs/events.md', () => {
  const text = read('docs/events.md');

  test('has a heading for each event type', () => {
    const headings = [...text.matchAll(/^### `(\w+)`$/gm)].map((match) => match[1]);
    expect(headings).toEqual(EVENT_TYPES);
  });

  test.each(EVENT_TYPES)('%s: its table has its fields, and says which are required', (type) => {
    const documented = rowsOf(section(text, type)).map(([name, , required]) => [name, required]);
    expect(documented).toEqual(fieldsOf(type));
  });

  test.each(EVENT_TYPES)('%s: its example is a valid line', (type) => {
    const [example = ''] = fences(section(text, type), 'ndjson');
    expect(parseText(example.trim())).toMatchObject({ kind: 'event', event: { type } });
  });

  test('lists the fields of every line', () => {
    const common = new Set(column(section(text, 'Fields of every line'), 0));
    expect(common).toEqual(new Set(['type', 'ts', 'seq', 'run_id', 'attempt']));
  });

  test('the examples of run_id are right', () => {
    const examples = rowsOf(section(text, 'run_id'));
    expect(examples.length).toBeGreaterThan(0);
    for (const [hashed = '', id] of examples) {
      const [experiment_number, dataset, method, subject, cl_info, seed] = JSON.parse(hashed);
      expect(hashKey({ experiment_number, dataset, method, subject, cl_info, seed })).toBe(id);
    }
  });

  test('docs/events.schema.json is as it is generated', () => {
    const script = path.join(ROOT, 'scripts/events-schema.mjs');
    const { stdout, stderr } = spawnSync(process.execPath, [script, builtDir()], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(read('docs/events.schema.json')).toBe(stdout);
  });
});

/** The fields of a type that are its own, with the word of the column "required". */
function fieldsOf(type: EventType): [string, string][] {
  const fields = Object.entries(eventSchemas()[type].shape);
  const isOfRun = fields.some(([name]) => name === 'run_id');
  const common = new Set(['type', 'ts', 'seq', ...(isOfRun ? ['run_id', 'attempt'] : [])]);
  return fields
    .filter(([name]) => !common.has(name))
    .map(([name, schema]) => [name, schema.safeParse(undefined).success ? 'no' : 'yes']);
}

describe('docs/errors.md', () => {
  const text = read('docs/errors.md');

  test('lists every error code', () => {
    expect(column(section(text, 'Error codes'), 0)).toEqual(Object.keys(ERROR_CODES));
  });

  test('lists every reason for a rejection', () => {
    expect(column(section(text, 'Why a line was rejected'), 0)).toEqual(Object.keys(REJECT_CODES));
  });
});

describe('docs/cli.md', () => {
  const sections = sectionsOf(read('docs/cli.md'));
  const shared = optionsIn(sections.get('Options that many commands have') ?? '');
  /** Options that are explained once, and what stands for them in the synopsis of a command that has them. */
  const groups = (
    [
      ['Which runs', '[which runs]'],
      ['How an answer is printed', '[how it is printed]'],
    ] as const
  ).map(([heading, mark]) => ({ mark, options: optionsIn(sections.get(heading) ?? '') }));
  const commands = [
    ...allCommands(
      makeProgram({} as CliIo, () => undefined),
      'runfold',
    ),
  ];

  test('has a heading for each command', () => {
    const headings = [...sections.keys()].filter((heading) => /^runfold\b/.test(heading));
    expect(headings.toSorted()).toEqual(commands.map(([name]) => name).toSorted());
  });

  test.each(commands)('%s: every option', (name, command) => {
    const body = sections.get(name) ?? '';
    const above = command.parent?.name() === 'emit' ? optionsIn(sections.get('runfold emit') ?? '') : [];
    const flags = command.options.map((option) => option.flags);
    const documented = optionsIn(body).filter((option) => option !== '-h, --help');
    const marked = groups.filter(({ mark }) => body.includes(mark)).flatMap(({ options }) => options);
    for (const option of marked) expect(flags).toContain(option);
    const elsewhere = new Set([...shared, ...above, ...marked]);
    expect(documented).toEqual(flags.filter((option) => !elsewhere.has(option)));
    // what is explained once for all commands is at least in the synopsis of each
    if (above.length > 0) return;
    const inSynopsis = shared.filter((option) => flags.includes(option) && !marked.includes(option));
    for (const option of inSynopsis) expect(body).toContain(`[${option}]`);
  });
});

function optionsIn(text: string): string[] {
  return [...text.matchAll(/^- `(-[^`]+)`:/gm)].map((match) => match[1] ?? '');
}

function* allCommands(command: Command, name: string): Generator<[string, Command]> {
  yield [name, command];
  for (const inner of command.commands) yield* allCommands(inner, `${name} ${inner.name()}`);
}

describe('docs/schema.md', () => {
  const text = read('docs/schema.md');
  const db = openForWriting(IN_MEMORY);
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];

  test('has a heading for each table', () => {
    const headings = [...text.matchAll(/^### `(\w+)`$/gm)].map((match) => match[1]);
    expect(headings).toEqual(tables);
  });

  test.each(tables)('%s: every column, its type, and whether it may be NULL', (table) => {
    const columns = db.pragma(`table_info(${table})`) as { name: string; type: string; notnull: number }[];
    const documented = rowsOf(section(text, table)).map(([name, type, , whenNull = '']) => {
      return { name, type, notnull: whenNull.startsWith('never') ? 1 : 0 };
    });
    expect(documented).toEqual(columns.map(({ name, type, notnull }) => ({ name, type, notnull })));
  });

  test('its queries find something', async () => {
    const run = { run_id: '9z3z3b6emkgwjej4' };
    const key = { dataset: 'iris', method: 'mlp', seed: 1 };
    const outcome = await given(
      writerFile(
        A,
        created(0, { ...run, ...key }),
        metric(1, { ...run, epoch: 1, loss: 'NaN', extra: { acc: 0.5 } }),
        errorEvent(2, run),
        status(3, 'failed', run),
        created(0),
        metric(1, { f1: 0.9 }),
        result(2, { accuracy: 0.9 }),
        status(3, 'completed'),
      ),
    );
    const queries = fences(text, 'sql');
    expect(queries).toHaveLength(3);
    for (const query of queries) expect(outcome.db.prepare(query).all()).toHaveLength(1);
  });
});

test('docs/architecture.md has the pace', () => {
  const rows = rowsOf(section(read('docs/architecture.md'), 'How often what is looked at'));
  const documented = Object.fromEntries(rows.map(([name = '', value = '']) => [name, milliseconds(value)]));
  expect(documented).toEqual({ ...PACE, HOLE_PATIENCE_MS });
});

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

function milliseconds(text: string): number {
  const [value, unit = ''] = text.split(' ');
  return Number(value) * (UNITS[unit] ?? Number.NaN);
}

test.each(DOCUMENTS)('%s: its links lead somewhere', (file) => {
  for (const [, target = ''] of read(file).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    const [linked = '', anchor] = target.split('#');
    const absolute = linked === '' ? path.join(ROOT, file) : path.resolve(ROOT, path.dirname(file), linked);
    expect(fs.existsSync(absolute), target).toBe(true);
    if (anchor === undefined) continue;
    const headings = [...sectionsOf(fs.readFileSync(absolute, 'utf8')).keys()];
    expect(headings.map(anchorOf), target).toContain(anchor);
  }
});

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

describe('what is shown is what happens', () => {
  // a part of it is in Python
  test.skipIf(pythonWith() === undefined)('README.md', () => {
    const home = new Home();
    home.command('python3', `exec '${pythonWith() ?? ''}' "$@"`);
    for (const program of fences(read('README.md'), 'python')) {
      const [, name = ''] = /^# (\S+)\n/.exec(program) ?? [];
      fs.writeFileSync(path.join(home.folder('iris'), name), program);
    }
    expectConsole(home, read('README.md'), 'runfold');
    expectTypeScript(home, read('README.md'));
  });

  test('docs/cli.md', () => expectConsole(new Home(), read('docs/cli.md'), 'iris'));
});

/** Runs the `$ ` lines of all console blocks in one shell, that begins in a folder, and compares what they print. */
function expectConsole(home: Home, text: string, folder: string): void {
  const start = home.folder(folder);
  for (const name of ['examples', 'clients']) fs.symlinkSync(path.join(ROOT, name), path.join(start, name));
  const shown = fences(text, 'console').join('');
  expect(shown).toContain('$ ');
  expect(home.normal(home.play(shown, start))).toBe(home.normal(shown));
}

/** Compiles the TypeScript blocks as a user's project, runs them, and compares what the last one prints. */
function expectTypeScript(home: Home, text: string): void {
  const cwd = home.folder('iris');
  const write = (name: string, content: string): void => fs.writeFileSync(path.join(cwd, name), content);
  const node = (...args: string[]): string => {
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, env: home.env, encoding: 'utf8' });
    return stdout + stderr;
  };
  const blocks = fences(text, 'ts');
  const files = blocks.map((_, index) => `block-${index}.ts`);
  for (const [index, block] of blocks.entries()) write(`block-${index}.ts`, block);
  write('package.json', '{"type":"module"}');
  const installed = home.folder('iris/node_modules/runfold');
  fs.writeFileSync(path.join(installed, 'package.json'), read('package.json'));
  fs.symlinkSync(builtDir(), path.join(installed, 'dist'));

  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const flags =
    '--strict --module nodenext --target es2023 --lib es2023,esnext.disposable --types node --skipLibCheck';
  const typeRoots = path.join(ROOT, 'node_modules/@types');
  expect(node(tsc, ...flags.split(' '), '--typeRoots', typeRoots, ...files)).toBe('');

  const printed = blocks.map((_, index) => node(`block-${index}.js`));
  const last = blocks.at(-1) ?? '';
  const [shown] = fences(text.slice(text.indexOf(last) + `${last}\`\`\``.length), 'text');
  expect(printed.at(-1)).toBe(shown);
}
