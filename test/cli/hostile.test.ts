// Events, file names and databases come from anybody: what they hold is shown, and never acts in a terminal.
import Database from 'better-sqlite3';
import fc from 'fast-check';
import * as fs from 'node:fs';
import path from 'node:path';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { cutText } from '../../src/cli/cut-text.ts';
import { jsonSafe, printSafe } from '../../src/cli/print-safe.ts';
import {
  A,
  B,
  C,
  created,
  errorEvent,
  header,
  metric,
  text,
  writerFile,
  type Fields,
} from '../helpers/lines.ts';
import { Desk, type Ran } from './command.ts';
import { withoutJoined } from './format/hostile-tables.ts';

/** Clears the screen, sets the title, turns the text around, hides it, ends the line, begins a new one. */
const HOSTILE =
  '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eevil\u2066\u2069\u200b\u061c\u00ad\u{e0041}\ufeff\u2028\rgone\u007f\b';
/** What may be printed as it is: text and line ends. */
const ACTS = /[^\P{C}\n]|[\u2028\u2029]/u;
/** Joined on purpose: emoji, Persian, Sinhala, Bengali, Marathi; and the flag of Scotland, which has tags in it. */
const JOINED = [
  '👨\u200d👩\u200d👧',
  '🏳️\u200d🌈',
  '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
  'می\u200cشود',
  'ශ්\u200dරී',
  'র\u200d্যাব',
  'क्\u200dष',
];
/** Joiners with nothing to join, or where nobody would see them. */
const NOT_JOINED: readonly [string, string][] = [
  ['\u200d', String.raw`\u{200d}`],
  ['👨\u200d', String.raw`👨\u{200d}`],
  ['👨\u200dx', String.raw`👨\u{200d}x`],
  ['😀\u200d中', String.raw`😀\u{200d}中`],
  ['lo\u200dss', String.raw`lo\u{200d}ss`],
  ['lo\u200css', String.raw`lo\u{200c}ss`],
  ['ی\u200c', String.raw`ی\u{200c}`],
  ['ی\u200c\u200cش', String.raw`ی\u{200c}\u{200c}ش`],
  ['ی\u200dش', String.raw`ی\u{200d}ش`],
  ['ی\u200cx', String.raw`ی\u{200c}x`],
  ['ی\u200bش', String.raw`ی\u{200b}ش`],
  ['क\u200dس', String.raw`क\u{200d}س`],
];
/** A file name cannot hold everything. */
const NAME = HOSTILE.replaceAll('/', '');

test('nothing that acts gets through, whatever the text; plain text is as it was', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(...Array.from(HOSTILE), '\u200c', '\u200d', ...JOINED),
  );
  fc.assert(
    fc.property(
      fc.array(hostile).map((parts) => parts.join('')),
      (given) => {
        expect(withoutJoined(printSafe(given))).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/u);
        expect(printSafe(printSafe(given))).toBe(printSafe(given));
        expect(jsonSafe({ given })).toMatch(/^[ -~]*$/);
        expect(JSON.parse(jsonSafe({ given }))).toEqual({ given });
      },
    ),
    { numRuns: 2000 },
  );
  for (const plain of ['loss → 0.5 “ß”', '损失 é', 'a\\x1b', '😀']) expect(printSafe(plain)).toBe(plain);
  expect(printSafe('\u001b[2J\t\n\u202e')).toBe(String.raw`\x1b[2J\t\n\u{202e}`);
});

test('joiners are kept where they are spelling, and nowhere else', () => {
  for (const text of JOINED) {
    expect(printSafe(text)).toBe(text);
    // they take no place, so that columns stay in line
    const withoutJoiners = stringWidth(text.replaceAll(/[\u200c\u200d]/g, ''));
    expect(stringWidth(text)).toBe(/\p{Emoji_Presentation}/u.test(text) ? 2 : withoutJoiners);
  }
  for (const [given, shown] of NOT_JOINED) expect(printSafe(given)).toBe(shown);
});

test('a joined text is cut between what it joins', () => {
  const parts = fc.constantFrom(...JOINED, ...NOT_JOINED.map(([given]) => given), 'a', '中', ' ');
  fc.assert(
    fc.property(
      fc.array(parts, { maxLength: 8 }).map((some) => some.join('')),
      fc.integer({ min: 1, max: 20 }),
      (text, width) => {
        const cut = cutText(text, width);
        expect(stringWidth(cut)).toBeLessThanOrEqual(width);
        expect(printSafe(cut)).toBe(cut);
      },
    ),
  );
});

/** A log with hostile text wherever text may be, and a file of each kind that doctor has something to say about. */
async function hostileDesk(): Promise<Desk> {
  const desk = await Desk.withLog();
  const folder = path.join(desk.ledger, 'events/2026-11-23');
  fs.mkdirSync(folder, { recursive: true });
  const put = (name: string, ...lines: (Fields | string)[]): void =>
    fs.writeFileSync(
      path.join(folder, name),
      lines.map((line) => `${typeof line === 'string' ? line : text(line)}\n`).join(''),
    );
  const evil = { notes: HOSTILE, tags: [HOSTILE], config: { [HOSTILE]: HOSTILE } };
  fs.writeFileSync(
    path.join(folder, path.basename(writerFile(A).path)),
    writerFile(
      A,
      created(0, evil),
      metric(1, { extra: { [HOSTILE]: 1 } }),
      errorEvent(2, { exception_type: HOSTILE, message: HOSTILE }),
    ).bytes,
  );
  const other = { run_id: '9z3z3b6emkgwjej4', dataset: 'iris', method: 'mlp', seed: 1 };
  const second = writerFile(C, created(0, { ...evil, ...other, config: { other: HOSTILE } }));
  fs.writeFileSync(path.join(folder, path.basename(second.path)), second.bytes);
  put(
    `${NAME}.ndjson`,
    metric(3),
    HOSTILE,
    `{"type":"metric","ts":"${HOSTILE.replaceAll(/[\u0000-\u001f]/g, '')}"}`,
  );
  put(`${B}-${NAME}.ndjson`, header(B));
  put(`${NAME}.txt`, 'x');
  fs.mkdirSync(path.join(folder, `${NAME}.d`));
  return desk;
}

function expectHarmless(ran: Ran, what: string): void {
  // a terminal takes bytes: what is no text at all would not be seen as a character above
  expect(ran.stdout, `${what}, stdout`).not.toMatch(ACTS);
  expect(ran.stderr, `${what}, stderr`).not.toMatch(ACTS);
}

const READING = ['status', 'doctor', 'verify', 'sync', 'sync --rebuild', 'sync --thorough'];

test.each(READING)('%s prints nothing raw, as text or as JSON', async (words) => {
  const command = words.split(' ');
  const desk = await hostileDesk();
  await desk.run(['sync']);
  // rows that differ, a file that is gone, and somebody who claims to hold the database
  fs.rmSync(path.join(desk.ledger, 'events/2026-11-23', `${NAME}.ndjson`));
  const db = new Database(desk.db);
  db.prepare('UPDATE run_errors SET message = ?').run(`${HOSTILE} `);
  db.prepare('UPDATE experiment_runs SET notes = ?').run(`other ${HOSTILE}`);
  db.close();
  for (const flags of [[], ['--json'], command.includes('--rebuild') ? ['--lose-missing'] : []]) {
    const ran = await desk.run([...command, ...flags]);
    expectHarmless(ran, [...command, ...flags].join(' '));
    if (flags.includes('--json') && ran.code !== 1) {
      for (const line of ran.stdout.trim().split(/\n(?=\{)/))
        expect(() => JSON.parse(line) as unknown).not.toThrow();
    }
  }
});

const ANSWERING = [
  'runs',
  'runs --active',
  'runs --select config,tags,notes',
  'runs --where config.x=1',
  'show @last',
  'errors',
  'errors --by place',
  'errors @last',
  'compare nj7p 9z3z',
  'jobs',
  'failures',
];

test.each(ANSWERING)('%s prints nothing raw, in whatever format', async (words) => {
  const desk = await hostileDesk();
  const command = words.split(' ');
  const formats = command[0] === 'show' ? [] : ['json', 'ndjson', 'csv', 'markdown', 'latex'];
  for (const flags of [[], ['--json'], ...formats.map((format) => ['--format', format])]) {
    const ran = await desk.run([...command, ...flags]);
    expect(ran.code).toBe(0);
    expectHarmless(ran, [...command, ...flags].join(' '));
  }
});

test('doctor does show the hostile text, in words', async () => {
  const desk = await hostileDesk();
  const doctor = await desk.run(['doctor']);
  expect(doctor).toMatchObject({ code: 3 });
  for (const kind of ['rejected', 'misplaced', 'stranger']) expect(doctor.stdout).toContain(kind);
  expect(doctor.stdout).toContain(String.raw`\x1b[2J`);
  expect(doctor.stdout).toContain(String.raw`\u{202e}evil`);
});

test.each([
  ['a command', [HOSTILE]],
  ['an option', ['sync', `--${HOSTILE}`]],
  ['a log', ['sync', '--ledger', `/no/${HOSTILE}`]],
  ['a database', ['status', '--db', `/proc/${HOSTILE}/x.db`]],
  ['a seed', ['emit', 'metric', '--seed', HOSTILE]],
  ['a status', ['emit', 'status-changed', '--seed', '1', '--status', HOSTILE]],
  ['a run', ['emit', 'metric', '--run', HOSTILE, '--loss', '1']],
  ['a time', ['emit', 'metric', '--seed', '1', '--loss', '1', '--ts', HOSTILE]],
  ['a directory', ['init', `sub/${HOSTILE}`]],
  ['a condition', ['runs', '-w', HOSTILE]],
  ['a field', ['runs', '-w', `config."${HOSTILE}"=1`, '--sort', HOSTILE]],
  ['a selection', ['runs', '--select', `config.${HOSTILE}`]],
  ['a run to show', ['show', HOSTILE]],
  ['a data set', ['runs', '--dataset', HOSTILE]],
])('what is given as %s is not repeated raw', async (_, args) => {
  const desk = await Desk.withLog();
  expectHarmless(await desk.run(args), args.join(' '));
});

test('what a stream has is not repeated raw', async () => {
  const desk = await Desk.withLog();
  const stdin = `${HOSTILE}\n${JSON.stringify({ type: HOSTILE })}\n${JSON.stringify({ type: 'metric', loss: HOSTILE })}\n`;
  const ran = await desk.run(['emit', '-', '--seed', '1'], { stdin });
  // U+2028 ends no record, and the CR in it none either
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expectHarmless(ran, 'emit -');
});

test('who holds the database is not taken at his word', async () => {
  const desk = await Desk.withLog();
  await desk.run(['sync']);
  const holder = new Database(`${desk.db}.lock`);
  holder.prepare('UPDATE holder SET host = ?, purpose = ?').run(HOSTILE, HOSTILE);
  holder.exec('BEGIN IMMEDIATE');
  for (const command of [['sync'], ['status'], ['status', '--json']])
    expectHarmless(await desk.run(command), command.join(' '));
  holder.close();
});
