import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import { Writable } from 'node:stream';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { doctor } from '../../src/cli/commands/doctor.ts';
import type { CliIo } from '../../src/cli/io.ts';
import {
  findings,
  ledgerStatus,
  type Finding,
  type FindingKind,
  type LedgerStatus,
} from '../../src/projector/health.ts';
import { REJECT_CODES } from '../../src/events/reject-codes.ts';
import {
  A, B, C, closed, created, DAY, file, header, metric, notes, NOTES, slurm, status, writerFile, writerFileWith, type Fields, type GivenFile,
} from '../helpers/lines.ts'; // prettier-ignore
import { Home } from './home.ts';

const HOLE = Buffer.from('{"type"\0\0\0}\n');
const PATH = { a: writerFile(A).path, b: writerFile(B).path, c: writerFile(C).path };

async function statusOf(home: Home): Promise<LedgerStatus> {
  await home.sync();
  return home.look((db) => ledgerStatus(db, home.clock.now()));
}

test('an empty log has nothing to say', async () => {
  const home = await Home.of();
  const { last_pass_at, ...status } = await statusOf(home);
  expect(status).toEqual({
    ledger_id: home.place.ledger.ledger_id, ledger_path: home.ledger.root,
    files: { live: 0, quiet: 0, complete: 0, frozen: 0, misplaced: 0, missing: 0, untrusted: 0 },
    waiting: 0, events: 0, unknown: 0, rejected: 0, lag_bytes: 0, lag_seconds: null,
    trust: 'all', owners: [],
  }); // prettier-ignore
  expect(Date.parse(last_pass_at ?? '')).toBeGreaterThan(Date.now() - 60_000);
});

test('files are counted by state, lines by what became of them', async () => {
  const home = await Home.read(
    writerFile(A, created(0), metric(1), { type: 'from_the_future' }, 'bad\n'),
    writerFile(B, closed(1, 1)),
    writerFile(C, metric(1)),
    notes(metric(1), metric(2), HOLE, metric(2)),
    file(`events/${DAY}/${A}-copy.ndjson`, header(A)),
    file(`events/${DAY}/gone.ndjson`, metric(3)),
  );
  home.ledger.remove(`events/${DAY}/gone.ndjson`);
  // one of the last bytes before the offset, which every pass looks at
  home.ledger.overwrite(PATH.c, home.ledger.read(PATH.c).length - 9, '#');
  home.ledger.append(PATH.c, 'more\n');
  const status = await statusOf(home);
  expect(status.files).toEqual({
    live: 2,
    quiet: 0,
    complete: 1,
    frozen: 1,
    misplaced: 1,
    missing: 1,
    untrusted: 0,
  });
  expect(status).toMatchObject({ waiting: 1, unknown: 1, rejected: 1 });
  expect(status.events).toBe(home.count('run_metrics') + home.count('_events'));
});

test('the lag is what is there and not applied, and as old as its oldest write', async () => {
  const home = await Home.read(notes(metric(1)), writerFile(A, created(0)));
  expect(await statusOf(home)).toMatchObject({ lag_bytes: 0, lag_seconds: null });
  home.ledger.append(NOTES, '{"type":"metr');
  home.ledger.append(PATH.a, '{"type":');
  const nowMs = Date.now();
  fs.utimesSync(home.ledger.path(NOTES), nowMs / 1000, nowMs / 1000 - 90);
  fs.utimesSync(home.ledger.path(PATH.a), nowMs / 1000, nowMs / 1000 - 30);
  home.clock = { now: () => nowMs };
  const status = await statusOf(home);
  expect(status.lag_bytes).toBe(13 + 8);
  expect(status.lag_seconds).toBeCloseTo(90, 1);
  // a clock that is behind that of the file server makes no negative age
  home.clock = { now: () => nowMs - 600_000 };
  expect((await statusOf(home)).lag_seconds).toBe(0);
});

test('a file that is gone, misplaced or not read on has no lag', async () => {
  const home = await Home.read(notes(metric(1)), writerFile(A, created(0), header(B), metric(1)));
  home.ledger.remove(NOTES);
  home.ledger.add(file(`events/${DAY}/${B}-copy.ndjson`, header(B)));
  expect(await statusOf(home)).toMatchObject({ lag_bytes: 0, lag_seconds: null });
});

/** Findings of the database as a thorough pass leaves it, with what the listing had besides. */
async function findingsOf(home: Home): Promise<Finding[]> {
  const { strangers } = await home.sync();
  return home.look((db) => [...findings(db, strangers)]);
}

interface Case {
  kind: FindingKind;
  severity: 'problem' | 'note';
  files: GivenFile[];
  /** Before a second pass. */
  then?: (home: Home) => void;
  where: string;
  offset?: number;
  what: RegExp;
  advice: RegExp;
}

const lengthOf = (...files: GivenFile[]): number => Buffer.concat(files.map(({ bytes }) => bytes)).length;

const CASES: Record<string, Case> = {
  'a rejected line': {
    kind: 'rejected', severity: 'problem', files: [notes(metric(1), 'so bad\n')],
    where: NOTES, offset: lengthOf(notes(metric(1))), what: /^not_json: .*so bad/, advice: new RegExp(REJECT_CODES.not_json.slice(0, 20)),
  },
  'a gap': {
    kind: 'gap', severity: 'problem', files: [writerFile(A, { ...metric(1), seq: 2 }, { ...metric(2), seq: 4 }, { ...metric(3), seq: 9 })],
    where: PATH.a, what: /^seq 3 is missing$/, advice: /rejected lines|spool/,
  },
  'a larger gap': {
    kind: 'gap', severity: 'problem', files: [writerFile(A, { ...metric(3), seq: 9 })],
    where: PATH.a, what: /^seq 2 to 8 are missing$/, advice: /spool/,
  },
  'a wrong name': {
    kind: 'misplaced', severity: 'problem', files: [file(`events/${DAY}/${A}-other.ndjson`, header(A))],
    where: `events/${DAY}/${A}-other.ndjson`, what: /belongs at/, advice: /mv /,
  },
  'a second header': {
    kind: 'frozen', severity: 'problem', files: [writerFile(A, created(0), header(B))],
    where: PATH.a, offset: lengthOf(writerFile(A, created(0))), what: /second header/, advice: /cut/,
  },
  'another format': {
    kind: 'frozen', severity: 'problem', files: [file(PATH.a, header(A, { format: 2 }))],
    where: PATH.a, offset: 0, what: /format/, advice: /newer release/,
  },
  'a truncated file': {
    kind: 'frozen', severity: 'problem', files: [notes(metric(1), metric(2))], then: (home) => home.ledger.write(NOTES, '{}\n'),
    where: NOTES, offset: lengthOf(notes(metric(1), metric(2))), what: /shorter/, advice: /Restore.*--lose-missing/,
  },
  'a rewritten file': {
    kind: 'frozen', severity: 'problem', files: [notes(metric(1), metric(2))],
    then: (home) => home.ledger.write(NOTES, 'x'.repeat(1000)),
    where: NOTES, offset: lengthOf(notes(metric(1), metric(2))), what: /other bytes/, advice: /Restore.*--lose-missing/,
  },
  'a file that is gone': {
    kind: 'missing', severity: 'problem', files: [notes(metric(1), metric(2))], then: (home) => home.ledger.remove(NOTES),
    where: NOTES, what: /^gone since .*2 events stay/, advice: /Bring it back.*--lose-missing/,
  },
  'a hole': {
    kind: 'waiting', severity: 'note', files: [notes(metric(1), HOLE)],
    where: NOTES, offset: lengthOf(notes(metric(1))), what: /NUL/, advice: /15 minutes/,
  },
  'lines after the end': {
    kind: 'after_close', severity: 'note', files: [writerFile(A, closed(1, 1), metric(2), metric(3))],
    where: PATH.a, what: /^2 lines after/, advice: /close it last/,
  },
  'events of a run that nobody created': {
    kind: 'orphan', severity: 'problem', files: [writerFile(A, metric(1)), writerFile(B, metric(1))],
    where: 'run nj7pvsfsspj3f97g', what: new RegExp(`writer ${A} and 1 more but no run_created`), advice: /runfold emit run-created/,
  },
  'a folder where a file belongs': {
    kind: 'stranger', severity: 'note', files: [file(`events/${DAY}/folder.ndjson/x.txt`, 'x')],
    where: `events/${DAY}/folder.ndjson`, what: /directory/, advice: /events\/\*\/\*\.ndjson/,
  },
  'a file of another kind': {
    kind: 'stranger', severity: 'note', files: [file(`events/${DAY}/run.ndjson~`, 'x'), file(`events/${DAY}/.nfs0001.ndjson`, 'x')],
    where: `events/${DAY}/run.ndjson~`, what: /not an event file/, advice: /Move it away/,
  },
  'a run that was started over with another config': {
    kind: 'config_differs', severity: 'note',
    files: [writerFile(A, created(0, { config: { lr: 1 } })), writerFile(B, created(5, { config: { lr: 2 } }))],
    where: 'run nj7pvsfsspj3f97g', what: /2 different configs/, advice: /cl_info/,
  },
  'an attempt that was begun again after its end': {
    kind: 'attempt_reused', severity: 'note',
    files: [
      writerFile(A, created(0, { attempt: 'a' }), status(1, 'completed', { attempt: 'a' })),
      writerFile(B, created(5, { attempt: 'a' })),
    ],
    where: 'run nj7pvsfsspj3f97g', what: /attempt a was begun again after its end/, advice: /RUNFOLD_ATTEMPT/,
  },
  'several tasks of an array that are one run': {
    kind: 'tasks_in_one_run', severity: 'note', files: tasksOfOneRun({}),
    where: 'run nj7pvsfsspj3f97g', what: /2 tasks of the array 4711/, advice: /--seed "\$SLURM_ARRAY_TASK_ID".*--grid/,
  },
}; // prettier-ignore

test.each(Object.entries(CASES))('%s is found, with what to do', async (_, { files, then, ...expected }) => {
  const home = await Home.read(...files);
  then?.(home);
  const { kind, severity, where, offset = null, what, advice } = expected;
  const found = (await findingsOf(home)).filter(
    (finding) => finding.kind === kind && finding.where === where,
  );
  expect(found[0]).toEqual({
    kind, severity, where, offset,
    what: expect.stringMatching(what) as string,
    advice: expect.stringMatching(advice) as string,
    // whose the file is, where it is about one that was looked at
    owner: expect.toSatisfy((owner) => owner === null || owner === `uid ${process.getuid?.()}`) as null,
  }); // prettier-ignore
});

/** In test/people, with files of somebody else. */
const OF_OTHERS = ['untrusted', 'hard_link', 'owner_differs', 'permissions'] as const;

test('every kind of finding has a case above', () => {
  // a hang is no state of the database: test/cli/hung-mount.test.ts has it
  const kinds: Record<Exclude<FindingKind, 'hang' | (typeof OF_OTHERS)[number]>, true> = {
    rejected: true, gap: true, misplaced: true, frozen: true, missing: true, waiting: true, after_close: true,
    orphan: true, stranger: true, config_differs: true, attempt_reused: true, tasks_in_one_run: true,
  }; // prettier-ignore
  expect(new Set(Object.values(CASES).map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)));
});

/** Two tasks that say the same key. */
function tasksOfOneRun(second: object, arrayOfSecond = '4711') {
  const task = (minute: number, number: string, array: string) =>
    slurm(minute, 'env', { job_id: `${array}${number}`, array_job_id: array, array_task_id: number });
  return [
    writerFile(A, created(0), task(1, '1', '4711')),
    writerFile(B, created(2, { ...second }), task(3, '2', arrayOfSecond)),
  ];
}

test('tasks that go on with a run one after the other are one run, and so are those of two arrays', async () => {
  expect(await findingsOf(await Home.of(...tasksOfOneRun({ resume: true })))).toEqual([]);
  expect(await findingsOf(await Home.of(...tasksOfOneRun({}, '4712')))).toEqual([]);
});

test('a resumed attempt may have another config', async () => {
  const home = await Home.of(
    writerFile(A, created(0, { config: { lr: 1 } })),
    writerFile(B, created(5, { config: { lr: 2 }, resume: true })),
  );
  expect(await findingsOf(home)).toEqual([]);
});

test('a wrapper and the job in it share an attempt, and both may say its end', async () => {
  const home = await Home.of(
    writerFile(
      A,
      created(0, { attempt: 'a' }),
      status(9, 'failed', { attempt: 'a', source: 'wrapper' }),
      created(10, { attempt: 'a' }),
    ),
    writerFile(
      B,
      created(1, { attempt: 'a' }),
      status(2, 'running', { attempt: 'a' }),
      status(8, 'completed', { attempt: 'a' }),
    ),
  );
  expect(await findingsOf(home)).toEqual([expect.objectContaining({ kind: 'attempt_reused' })]);
  const healthy = await Home.of(
    writerFile(A, created(0, { attempt: 'a' }), status(9, 'failed', { attempt: 'a', source: 'wrapper' })),
    writerFile(B, created(1, { attempt: 'a' }), status(8, 'completed', { attempt: 'a' })),
  );
  expect(await findingsOf(healthy)).toEqual([]);
});

test('what misplaced files are told to do mends them', async () => {
  const origin = 'h-1';
  const home = await Home.read(
    writerFileWith(A, { origin }, created(0)),
    file(`events/${DAY}/${B}-it's wrong; $(touch x).ndjson`, header(B), { ...metric(1), seq: 2 }),
    file(`events/somewhere/${C}-h-1.ndjson`, header(C)),
  );
  const misplaced = (await findingsOf(home)).filter(({ kind }) => kind === 'misplaced');
  expect(misplaced).toHaveLength(2);
  for (const { advice } of misplaced) {
    const [, command = ''] = /(mv .*)$/.exec(advice) ?? [];
    execFileSync('sh', ['-c', command.replace(/ \(in the .*$/, '')], { cwd: home.ledger.root });
  }
  expect((await findingsOf(home)).filter(({ kind }) => kind !== 'orphan')).toEqual([]);
  expect(fs.existsSync(home.ledger.path('x'))).toBe(false);
  expect(home.count('run_metrics')).toBe(1);
});

/** Collects what is printed and can be slower than what prints. */
class Page extends Writable {
  text = '';
  largest = 0;

  constructor() {
    super({ highWaterMark: 16_384, decodeStrings: false });
  }

  override _write(chunk: string, _: string, done: () => void): void {
    this.text += chunk;
    this.largest = Math.max(this.largest, this.writableLength);
    setImmediate(done);
  }
}

async function doctorOf(home: Home, page = new Page()): Promise<{ code: number; page: Page }> {
  const io: CliIo = {
    stdin: process.stdin, stdout: page, stderr: new Page(), env: {}, cwd: home.ledger.root, clock: home.clock,
    signal: new AbortController().signal, abandon: () => undefined,
  }; // prettier-ignore
  const code = await doctor({ ledger: home.ledger.root, db: home.file, sync: true }, io);
  await new Promise<void>((resolve) => void page.end(resolve));
  return { code, page };
}

test('doctor says healthy and returns 0, or names what is wrong and returns 3; notes are no reason', async () => {
  const mine = (...events: object[]): GivenFile =>
    writerFileWith(A, { user: os.userInfo().username }, ...(events as Fields[]));
  const healthy = await doctorOf(await Home.of(mine(created(0), closed(1, 2))));
  expect([healthy.code, healthy.page.text]).toEqual([0, expect.stringContaining('healthy')]);
  const noted = await doctorOf(await Home.of(mine(created(0), closed(1, 2), metric(2))));
  expect([noted.code, noted.page.text]).toEqual([
    0,
    expect.stringMatching(/after_close.*0 problems, 1 note/s),
  ]);
  const sick = await doctorOf(await Home.of(notes('bad\n')));
  expect([sick.code, sick.page.text]).toEqual([3, expect.stringMatching(/rejected.*1 problem, 0 notes/s)]);
});

const MANY = 1_000_000;

/** Rejected lines without a million bad lines to read. */
async function withRejected(count: number): Promise<Home> {
  const home = await Home.read(writerFile(A, created(0)));
  home.tamper((db) => {
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)';
    db.prepare(
      `INSERT INTO _rejected ${numbers} SELECT 'events/x/y.ndjson', i * 10, 10, 'not_json', 'm', 'e' FROM n`,
    ).run(count);
  });
  return home;
}

test('a million findings come one by one, in order, and hold no checkpoint up', async () => {
  const home = await withRejected(MANY);
  const db = new Database(home.file);
  const reader = new Database(home.file, { readonly: true });
  const before = process.memoryUsage().heapUsed;
  let count = 0;
  let offset = -1;
  for (const finding of findings(reader, [])) {
    if (finding.kind !== 'rejected') continue;
    if ((finding.offset ?? 0) <= offset) throw new Error(`${finding.offset} after ${offset}`);
    offset = finding.offset ?? 0;
    count += 1;
    if (count === 100_000) {
      // somebody who pages through them for hours must not make the -wal file grow all that time
      db.exec("UPDATE _files SET host = 'x'");
      expect(db.pragma('wal_checkpoint(TRUNCATE)')).toMatchObject([{ busy: 0 }]);
    }
  }
  expect(count).toBe(MANY);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 1_048_576);
  db.close();
  reader.close();
});

test('doctor waits for whoever reads it', async () => {
  const home = await withRejected(20_000);
  const { code, page } = await doctorOf(home);
  expect(code).toBe(3);
  expect(page.text.match(/^! rejected/gm)).toHaveLength(20_000);
  expect(page.largest).toBeLessThan(64 * 1024);
});
